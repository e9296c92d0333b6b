//! Whether the machine is a virtual one, and whose.

use crate::testbed::machine::kernel::text;

/// The hypervisor's name, as far as it tells; `None` on real hardware. On arm64 the processor does not
/// say that it is virtual, so `None` there may also mean that nothing is known.
pub(super) fn hypervisor(cpuinfo: &str) -> Option<String> {
    // Xen names itself here; others leave it to the firmware.
    if let Some(name) = text("/sys/hypervisor/type") {
        return Some(name);
    }
    let firmware = |field| text(&format!("/sys/class/dmi/id/{field}"));
    is_virtual(cpuinfo).then(|| name(firmware("sys_vendor"), firmware("product_name")))
}

/// x86 processors show a flag that no real one has.
fn is_virtual(cpuinfo: &str) -> bool {
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags"));
    flags.is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"))
}

fn name(vendor: Option<String>, product: Option<String>) -> String {
    let parts: Vec<String> =
        [vendor, product].into_iter().flatten().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "one that does not tell its name".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_virtual_if_its_processor_says_so() {
        assert!(is_virtual("flags\t\t: fpu vme hypervisor lahf_lm\n"));
        assert!(!is_virtual("flags\t\t: fpu vme lahf_lm\nbugs\t\t: hypervisor\n"));
        assert!(!is_virtual(""));
    }

    #[test]
    fn a_hypervisor_is_named_by_what_the_firmware_tells() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(name(text("QEMU"), text("Standard PC")), "QEMU Standard PC");
        assert_eq!(name(text("Amazon EC2"), None), "Amazon EC2");
        assert_eq!(name(None, text("")), "one that does not tell its name");
    }
}
