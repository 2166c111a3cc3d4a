use super::*;

#[test]
fn kernel_that_the_package_depends_on() {
    let text = "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n";
    assert_eq!(dependency(text), Some("linux-image-6.1.0-56-cloud-amd64"));
    assert_eq!(dependency("linux-image-cloud-amd64\n"), None);
    assert_eq!(dependency("x\n  Depends: libc6\n"), None);
}
