//! The documents, and how each is read.

use super::Seed;
use super::rules::{addresses, endpoints, methods, states, tokens};

/// All documents. Another one is added here, with rules of its own where it is written in another way.
pub(crate) const SEEDS: [Seed; 3] = [
    Seed {
        name: "bam",
        title: "B.A.M Ticketing",
        text: include_str!("../../fixtures/seeds/bam.txt"),
        asides: &[
            "Skip to content",
            "Tickets",
            "Tickets in our system have two ways of delivery:",
            "Fetching tickets",
            "To filter the response, the following fields are available:",
            "Manually issuing tickets to users",
            "The following fields should be in the body:",
            "Ticket flow",
            "Ticket status flow",
            "Back to top",
        ],
        rules: &[endpoints, tokens, states],
        has_shapes: false,
    },
    Seed {
        name: "unidy",
        title: "Unidy",
        text: include_str!("../../fixtures/seeds/unidy.txt"),
        asides: &[
            "Tickets integration guide",
            "Integrate Tickets with Unidy",
            "1. Ticket Integration Overview",
            "Tickets are core objects used to manage user entitlements within the system.",
            "To gain more insights on the Ticket UI, please refer to the Ticket Cockpit section.",
            "Key Concepts",
            "Ticket Structure:",
            "Here is example payload of a ticket in Unidy:",
            "User Association:",
            "Category Association:",
            "2. Accessing Tickets in Unidy",
            "Tickets can be accessed and managed through the following interfaces:",
            "UI",
            "Development",
            "Please ask your integration contact person in Unidy to set up an OAuth App for accessing the tickets.",
            "3. State of the ticket",
        ],
        rules: &[addresses],
        has_shapes: false,
    },
    Seed {
        name: "texpo",
        title: "TEXPO",
        text: include_str!("../../fixtures/seeds/texpo.txt"),
        asides: &[
            "Skip to content",
            "On this page",
            "Adminserver: Ticket API",
            "EndpointMethodDescription",
            "Request:",
            "Response:",
        ],
        rules: &[methods],
        has_shapes: true,
    },
];
