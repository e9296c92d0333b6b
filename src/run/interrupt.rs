//! The wish to stop: by Ctrl-C, or by the signal that service managers send.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Tells every part of a run that somebody wants it to stop.
#[derive(Clone, Debug)]
pub struct Interrupt {
    changed: watch::Receiver<bool>,
}

impl Interrupt {
    /// Takes the first SIGINT or SIGTERM from now on for a wish to stop; the second ends the program at once.
    pub fn on_signal() -> std::io::Result<Self> {
        let (mut keyboard, mut manager) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (sender, changed) = watch::channel(false);
        tokio::spawn(async move {
            for repeated in [false, true] {
                tokio::select! { _ = keyboard.recv() => {}, _ = manager.recv() => {} }
                if repeated {
                    std::process::exit(130);
                }
                sender.send_replace(true);
            }
        });
        Ok(Self { changed })
    }

    /// Whether it has happened.
    pub fn happened(&self) -> bool {
        *self.changed.borrow()
    }

    /// Waits until it happens.
    pub async fn wait(&self) {
        let mut changed = self.changed.clone();
        if changed.wait_for(|happened| *happened).await.is_err() {
            // The listening task is gone, and with it every way to interrupt.
            std::future::pending::<()>().await;
        }
    }
}
