use super::*;

mod form;
mod linux;
mod meaning;

/// A configuration that is right, with further properties.
fn spec(properties: &str) -> Spec {
    let document = format!(r#"{{"ociVersion":"1.3.0",{properties}}}"#);
    parse(document.as_bytes()).unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// For properties that have nothing to do with the root.
const ANY_ROOT: Context<'static> = Context {
    rootless: false,
    given: &[],
    root_given: true,
    keeps_listener: false,
};

/// Why a configuration is refused.
fn refused(properties: &str, context: &Context<'_>) -> String {
    let error = match validate(&spec(properties), context) {
        Err(error) => error.to_string(),
        Ok(()) => panic!("accepted: {properties}"),
    };
    assert!(!error.contains('\n'), "{error:?}");
    error
}

/// Property, and how the refusal begins.
type Case = (&'static str, &'static str);

fn check_all(cases: &[Case], context: &Context<'_>) {
    for (properties, expected) in cases {
        let error = refused(properties, context);
        assert!(error.starts_with(expected), "{properties}\n{error}");
    }
}
