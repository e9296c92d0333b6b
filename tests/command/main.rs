//! The program as a person, a script or CI meets it: typed commands, exit codes, messages, files and processes.

mod afterwards;
mod bad_command_line;
mod bad_scenario;
mod bad_subject;
mod counting;
mod description;
mod disk;
mod disturbed;
mod full_run;
mod interruption;
mod keys;
mod listeners;
mod load;
mod load_tls;
mod load_tokens;
mod loads_compared;
mod output_folder;
mod program;
mod running;
mod sandbox;
mod schema;
mod scripts;
mod served;
mod several_rates;
mod token;
mod unfit_machine;
