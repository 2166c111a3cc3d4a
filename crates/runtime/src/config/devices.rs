//! `linux.devices`.

use tare_oci::runtime::{Device, DeviceType};

use super::{Error, absolute};

/// The kernel has 12 bits for the major number and 20 for the minor one.
const MAXIMUM_MAJOR: i64 = (1 << 12) - 1;
const MAXIMUM_MINOR: i64 = (1 << 20) - 1;

pub(super) fn check(devices: &[Device]) -> Result<(), Error> {
    for (index, device) in devices.iter().enumerate() {
        let field = |name: &str| format!("linux.devices[{index}].{name}");
        absolute(&field("path"), &device.path)?;
        let last = device.path.rsplit('/').next().unwrap_or_default();
        if matches!(last, "" | "." | "..") {
            return Err(Error::invalid(
                field("path"),
                format!("{:?} is no path of a file", device.path),
            ));
        }
        if device.kind != DeviceType::Fifo {
            for (name, number, maximum) in [
                ("major", device.major, MAXIMUM_MAJOR),
                ("minor", device.minor, MAXIMUM_MINOR),
            ] {
                if number == Device::NO_NUMBER {
                    return Err(Error::invalid(field(name), "is missing"));
                }
                if !(0..=maximum).contains(&number) {
                    return Err(Error::invalid(
                        field(name),
                        format!("{number} is not between 0 and {maximum}"),
                    ));
                }
            }
        }
    }
    Ok(())
}
