use super::*;

#[test]
fn environment_is_replaced_in_place_and_removed_by_name() {
    let mut environment = vec!["A=1".to_owned(), "B=2".to_owned()];
    merge(
        &mut environment,
        &["B=3".into(), "C=4".into(), "A".into(), "D".into()],
    );
    assert_eq!(environment, ["B=3", "C=4"]);
}
