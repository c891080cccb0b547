//! The same seed gives the same bytes, whenever and on however many threads it is played.

use gatewright_simulation::{derive, play, play_many};

#[test]
fn a_seed_gives_the_same_trace_byte_by_byte() {
    for seed in 0..40 {
        let script = derive(seed, 60);
        let first = play(&script, None, true);
        assert!(first.trace.lines().count() > 60, "seed {seed}");
        let other_thread = std::thread::spawn(move || play(&derive(seed, 60), None, true));
        let second = other_thread.join().unwrap();
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert_eq!(first, second, "seed {seed}");
    }
}

#[test]
fn a_script_that_was_written_and_read_gives_the_same_trace() {
    for seed in 0..40 {
        let script = derive(seed, 60);
        let read = script.to_string().parse().unwrap();
        assert_eq!(
            play(&script, None, true),
            play(&read, None, true),
            "seed {seed}"
        );
    }
}

#[test]
fn seeds_differ() {
    let trace = |seed| play(&derive(seed, 60), None, true).trace;
    assert_ne!(trace(1), trace(2));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    assert_eq!(play_many(0, 60, 60, None, 1), play_many(0, 60, 60, None, 4));
}
