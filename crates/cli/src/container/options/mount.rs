//! `--mount type=bind,source=/a,target=/b,...`: one line of CSV.

use tare_engine_api::{
    BindOptions, ImageOptions, Mount, TmpfsOptions, VolumeDriverConfig, VolumeOptions,
};

use super::{OptionError, Surroundings};
use crate::grammar::values::{boolean, parse_size};

/// Checks one value while the line is parsed.
pub(crate) fn check(value: &str) -> Result<String, String> {
    parse_one(value).map(|_| value.to_owned())
}

/// Every mount, relative host paths made absolute.
pub(super) fn parse(
    values: &[String],
    surroundings: &Surroundings<'_>,
) -> Result<Vec<Mount>, OptionError> {
    values
        .iter()
        .map(|value| {
            let mut mount = parse_one(value).map_err(OptionError)?;
            if let Some(directory) = &surroundings.directory
                && (mount.source == "." || mount.source.starts_with("./"))
            {
                mount.source = super::volume::absolute(directory, &mount.source);
            }
            Ok(mount)
        })
        .collect()
}

fn parse_one(value: &str) -> Result<Mount, String> {
    let mut mount = Mount {
        kind: "volume".to_owned(),
        ..Mount::default()
    };
    for field in csv_fields(value)? {
        let (key, text) = match field.split_once('=') {
            Some((key, text)) => (key.to_lowercase(), Some(text)),
            None => (field.to_lowercase(), None),
        };
        let Some(text) = text else {
            match key.as_str() {
                "readonly" | "ro" => mount.read_only = true,
                "volume-nocopy" => volume(&mut mount).no_copy = true,
                "bind-nonrecursive" => bind(&mut mount).non_recursive = true,
                _ => return Err(format!("invalid field '{field}' must be a key=value pair")),
            }
            continue;
        };
        set(&mut mount, &key, text, &field)?;
    }
    validate(&mount)?;
    Ok(mount)
}

fn set(mount: &mut Mount, key: &str, text: &str, field: &str) -> Result<(), String> {
    let invalid = || format!("invalid value for {key}: {text}");
    let truth = || {
        boolean(text)
            .map(|value| value == "true")
            .map_err(|_| invalid())
    };
    match key {
        "type" => mount.kind = text.to_lowercase(),
        "source" | "src" => mount.source = text.to_owned(),
        "target" | "dst" | "destination" => mount.target = text.to_owned(),
        "readonly" | "ro" => mount.read_only = truth()?,
        "consistency" => mount.consistency = text.to_lowercase(),
        "bind-propagation" => bind(mount).propagation = text.to_lowercase(),
        "bind-nonrecursive" => bind(mount).non_recursive = truth()?,
        "bind-recursive" => match text {
            // What the engine does anyway.
            "enabled" => {}
            "disabled" => bind(mount).non_recursive = true,
            "writable" => bind(mount).read_only_non_recursive = true,
            "readonly" => bind(mount).read_only_force_recursive = true,
            _ => {
                return Err(format!(
                    "{} (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")",
                    invalid()
                ));
            }
        },
        "volume-subpath" => volume(mount).subpath = text.to_owned(),
        "volume-nocopy" => volume(mount).no_copy = truth()?,
        "volume-label" => {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            volume(mount)
                .labels
                .insert(name.to_owned(), value.to_owned());
        }
        "volume-driver" => driver(mount).name = text.to_owned(),
        "volume-opt" => {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            driver(mount)
                .options
                .insert(name.to_owned(), value.to_owned());
        }
        "image-subpath" => {
            mount
                .image_options
                .get_or_insert_with(ImageOptions::default)
                .subpath = text.to_owned();
        }
        "tmpfs-size" => tmpfs(mount).size_bytes = parse_size(text).map_err(|_| invalid())?,
        "tmpfs-mode" => {
            tmpfs(mount).mode = i64::from(u32::from_str_radix(text, 8).map_err(|_| invalid())?)
        }
        _ => return Err(format!("unexpected key '{key}' in '{field}'")),
    }
    Ok(())
}

fn validate(mount: &Mount) -> Result<(), String> {
    if mount.kind.is_empty() {
        return Err("type is required".to_owned());
    }
    if mount.target.is_empty() {
        return Err("target is required".to_owned());
    }
    for (kind, given) in [
        ("volume", mount.volume_options.is_some()),
        ("bind", mount.bind_options.is_some()),
        ("tmpfs", mount.tmpfs_options.is_some()),
        ("image", mount.image_options.is_some()),
    ] {
        if given && mount.kind != kind {
            return Err(format!(
                "cannot mix '{kind}-*' options with mount type '{}'",
                mount.kind
            ));
        }
    }
    let Some(options) = &mount.bind_options else {
        return Ok(());
    };
    if options.read_only_non_recursive && !mount.read_only {
        return Err(
            "option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction"
                .to_owned(),
        );
    }
    if options.read_only_force_recursive {
        if !mount.read_only {
            return Err(
                "option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction".to_owned()
            );
        }
        if options.propagation != "rprivate" {
            return Err("option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified \
                        in conjunction"
                .to_owned());
        }
    }
    Ok(())
}

fn bind(mount: &mut Mount) -> &mut BindOptions {
    mount.bind_options.get_or_insert_with(BindOptions::default)
}

fn volume(mount: &mut Mount) -> &mut VolumeOptions {
    mount
        .volume_options
        .get_or_insert_with(VolumeOptions::default)
}

fn driver(mount: &mut Mount) -> &mut VolumeDriverConfig {
    volume(mount)
        .driver_config
        .get_or_insert_with(VolumeDriverConfig::default)
}

fn tmpfs(mount: &mut Mount) -> &mut TmpfsOptions {
    mount
        .tmpfs_options
        .get_or_insert_with(TmpfsOptions::default)
}

/// The fields of one CSV record; a field in double quotes may hold commas,
/// and a doubled quote there is one.
pub(super) fn csv_fields(text: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut field = String::new();
            let mut behind = quoted;
            loop {
                let Some((piece, after)) = behind.split_once('"') else {
                    return Err(format!("unterminated quote in {text}"));
                };
                field.push_str(piece);
                match after.strip_prefix('"') {
                    Some(more) => {
                        field.push('"');
                        behind = more;
                    }
                    None => {
                        behind = after;
                        break;
                    }
                }
            }
            fields.push(field);
            match behind.strip_prefix(',') {
                Some(more) => rest = more,
                None if behind.is_empty() => return Ok(fields),
                None => return Err(format!("text behind a quote in {text}")),
            }
        } else {
            match rest.split_once(',') {
                Some((field, more)) => {
                    fields.push(field.to_owned());
                    rest = more;
                }
                None => {
                    fields.push(rest.to_owned());
                    return Ok(fields);
                }
            }
        }
    }
}
