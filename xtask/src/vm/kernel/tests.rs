use super::*;

#[test]
fn kernels_are_chosen_by_number() {
    assert_eq!(series("6.1").unwrap().name, "6.1");
    let error = series("4.4").unwrap_err().to_string();
    assert_eq!(error, "no kernel 4.4; there are 5.10, 6.1, 6.12");
}
