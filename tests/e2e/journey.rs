//! What `make demo` plays.

#[test]
fn the_whole_journey_goes_as_it_should() {
    let mut steps = Vec::new();
    cobijo_tests::journey::play(&mut |step, _| steps.push(step.to_owned())).unwrap();
    assert!(steps.len() > 20, "{steps:?}");
}
