use tare_tests::Engine;

#[test]
fn run_prints() {
    let engine = Engine::start();
    let output = engine
        .client(&["run", "--rm", "busybox", "echo", "hello"])
        .expect(0);
    assert_eq!(output.stdout, "hello\n");
}
