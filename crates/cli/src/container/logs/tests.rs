use super::*;

#[test]
fn times_become_seconds_of_the_epoch() {
    let now: jiff::Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    let cases = [
        ("42m", Some("1704064680.000000000")),
        ("1h30m", Some("1704061800.000000000")),
        ("2013-01-02T13:23:37Z", Some("1357133017.000000000")),
        ("2013-01-02T13:23:37.5+01:00", Some("1357129417.500000000")),
        ("1357133017", Some("1357133017")),
        ("1357133017.000000001", Some("1357133017.000000001")),
        ("yesterday", None),
        ("12.x", None),
    ];
    for (text, wanted) in cases {
        assert_eq!(moment(text, now).as_deref(), wanted, "{text}");
    }
}

#[test]
fn a_time_without_an_offset_is_local() {
    let zone = jiff::tz::TimeZone::system();
    let local: jiff::civil::DateTime = "2013-01-02T13:23:37".parse().unwrap();
    let wanted = local.to_zoned(zone).unwrap().timestamp().as_second();
    let now = jiff::Timestamp::now();
    let got = moment("2013-01-02T13:23:37", now);
    assert_eq!(got, Some(format!("{wanted}.000000000")));
    assert_eq!(
        moment("2013-01-02", now).map(|text| text.len()),
        got.map(|text| text.len())
    );
}
