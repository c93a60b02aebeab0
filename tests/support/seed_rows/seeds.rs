//! The documents, and how each is read.

use super::Seed;
use super::rules::{addresses, endpoints, states, tokens};

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
    },
    Seed {
        name: "ticketing",
        title: "TickeTing",
        text: include_str!("../../fixtures/seeds/ticketing.txt"),
        asides: &[
            "TickeTing REST API v3 Reference (3.0.0)",
            "Introduction",
            "The TickeTing REST API v3 allows developers to integrate with the TickeTing platform, from creating hosts and \
             events to buying and transferring tickets.",
            "This reference document will walk you through authenticating against the API and the full list of available \
             endpoints, their permissions and functionality.",
            "Authentication",
            "Session Authentication and Integration Keys are covered in the Authentication section of this reference.",
            "Example Request Header",
            "Authentication Errors",
            "Client Version",
            "Client Version Errors",
            "Error Responses",
            "404 Errors",
            "Server Errors",
            "Other Errors",
            "Additional error responses may be received when incorrectly accessing valid API endpoints.",
            "The errors received, and their resolution, are specific to the requested URI and HTTP Method and details are \
             provided with each endpoint's reference where applicable.",
            "Download OpenAPI description",
            "Overview",
            "TickeTing Inc.",
            "dev@ticketingevents.com",
            "License",
            "Apache 2.0",
            "Languages",
            "Servers",
            "Mock server",
            "QA Server",
            "Production Server",
        ],
        rules: &[],
    },
];
