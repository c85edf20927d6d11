//! Repeats a short entry of its descriptor a hundred thousand times.

use hostile::{Connector, Descriptor, Question, descriptor};

struct LongDescriptor;

impl Connector for LongDescriptor {
    fn describe() -> Descriptor {
        let question = |_| Question { question: "Why?".into(), answer: "Because.".into() };
        Descriptor { faq: (0..100_000).map(question).collect(), ..descriptor() }
    }
}

hostile::component!(LongDescriptor);
