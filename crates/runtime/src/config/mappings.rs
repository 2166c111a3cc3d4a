//! ID mappings, of a user namespace or of one mount (user_namespaces(7)).

use tare_oci::runtime::IdMapping;

use super::Error;

/// As many ranges as the kernel takes (`UID_GID_MAP_MAX_EXTENTS`).
const MAXIMUM: usize = 340;

pub(super) fn check(field: &str, mappings: &[IdMapping]) -> Result<(), Error> {
    if mappings.len() > MAXIMUM {
        return Err(Error::invalid(
            field,
            format!("has {} ranges and may have {MAXIMUM}", mappings.len()),
        ));
    }
    for (index, mapping) in mappings.iter().enumerate() {
        let field = |name: &str| format!("{field}[{index}].{name}");
        if mapping.size == 0 {
            return Err(Error::invalid(field("size"), "is zero"));
        }
        for (name, first) in [
            ("containerID", mapping.container_id),
            ("hostID", mapping.host_id),
        ] {
            // The last number of all stands for "no ID" and cannot be mapped.
            if u64::from(first) + u64::from(mapping.size) > u64::from(u32::MAX) {
                return Err(Error::invalid(
                    field(name),
                    format!("{} IDs from {first} on go beyond the last ID", mapping.size),
                ));
            }
        }
        for (other, before) in mappings[..index].iter().enumerate() {
            for (name, first, other_first) in [
                ("containerID", mapping.container_id, before.container_id),
                ("hostID", mapping.host_id, before.host_id),
            ] {
                if overlap((first, mapping.size), (other_first, before.size)) {
                    return Err(Error::invalid(
                        field(name),
                        format!("overlaps with range {other} of the list"),
                    ));
                }
            }
        }
    }
    Ok(())
}

fn overlap(one: (u32, u32), other: (u32, u32)) -> bool {
    let end = |(first, size): (u32, u32)| u64::from(first) + u64::from(size);
    u64::from(one.0) < end(other) && u64::from(other.0) < end(one)
}
