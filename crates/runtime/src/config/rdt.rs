//! `linux.intelRdt` (resctrl).

use tare_oci::runtime::IntelRdt;

use super::{Error, text};

pub(super) fn check(rdt: &IntelRdt) -> Result<(), Error> {
    let field = |name: &str| format!("linux.intelRdt.{name}");
    if let Some(class) = &rdt.class_id {
        text(&field("closID"), class)?;
        // The name of a directory, or the class that everything begins in.
        let is_reserved = matches!(
            class.as_str(),
            "." | ".." | "info" | "mon_groups" | "mon_data"
        );
        let is_path = class != "/" && class.contains('/');
        if is_reserved || is_path || class.contains('\n') {
            return Err(Error::invalid(
                field("closID"),
                format!("{class:?} is no name of a class"),
            ));
        }
    }
    for (index, line) in rdt.schemata.iter().enumerate() {
        check_line(&field(&format!("schemata[{index}]")), line)?;
    }
    if let Some(schema) = rdt
        .l3_cache_schema
        .as_deref()
        .filter(|schema| !schema.is_empty())
    {
        for line in schema.lines() {
            check_line(&field("l3CacheSchema"), line)?;
            if line.trim_start().starts_with("MB:") {
                return Err(Error::invalid(
                    field("l3CacheSchema"),
                    "has a line for memory bandwidth, which belongs to memBwSchema",
                ));
            }
        }
    }
    if let Some(schema) = rdt
        .mem_bw_schema
        .as_deref()
        .filter(|schema| !schema.is_empty())
    {
        check_line(&field("memBwSchema"), schema)?;
        if !schema.starts_with("MB:") {
            return Err(Error::invalid(
                field("memBwSchema"),
                format!("{schema:?} does not begin with MB:"),
            ));
        }
    }
    Ok(())
}

/// One line of the file "schemata".
fn check_line(field: &str, line: &str) -> Result<(), Error> {
    text(field, line)?;
    if line.contains('\n') || !line.contains(':') {
        return Err(Error::invalid(
            field,
            format!("{line:?} is no line of schemata"),
        ));
    }
    Ok(())
}
