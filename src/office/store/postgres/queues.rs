//! Queues in PostgreSQL, and the order of their rows.

use super::tx::Tx;
use super::value::values;
use crate::office::store::{Listing, QueueReads, QueueWrites, StoreError};
use crate::record::queue::{OrderRule, QueueOrder};

impl QueueReads for Tx<'_> {
    fn count_listed(&mut self, listing: &Listing, cap: u32) -> Result<u64, StoreError> {
        self.find_rows(listing, cap).map(|found| found.total)
    }

    fn count_records(&mut self) -> Result<u64, StoreError> {
        self.query_one("SELECT count(*) FROM records", values![], |row| row.number(0))
    }

    fn count_undecided(&mut self, cap: u32) -> Result<u64, StoreError> {
        self.query_one(
            "SELECT count(*) FROM
               (SELECT 1 FROM quarantine WHERE state = 'open' LIMIT $1) AS found",
            values![cap],
            |row| row.number(0),
        )
    }

    fn count_devices_unseen(&mut self, since: i64, now: i64, cap: u32) -> Result<u64, StoreError> {
        self.query_one(
            "SELECT count(*) FROM
               (SELECT 1 FROM devices d JOIN sessions s ON s.device = d.id
                  JOIN users u ON u.name = d.user_name
                WHERE d.revoked_at IS NULL AND d.last_seen_at < $1 AND NOT s.ended
                  AND s.expires_at > $2 AND u.role = 'collector' AND u.disabled_at IS NULL
                LIMIT $3) AS found",
            values![since, now, cap],
            |row| row.number(0),
        )
    }

    fn queue_order(&mut self) -> Result<QueueOrder, StoreError> {
        self.query_one("SELECT words FROM queue_order", values![], |row| {
            Ok(QueueOrder::from_words(row.get::<&str>(0)?.split(',')))
        })
    }
}

impl QueueWrites for Tx<'_> {
    fn set_queue_order(&mut self, rules: &[OrderRule]) -> Result<(), StoreError> {
        let words: Vec<&str> = rules.iter().map(|rule| rule.as_str()).collect();
        let sql = "UPDATE queue_order SET words = $1 WHERE words <> $1";
        self.write(sql, values![words.join(",")])
    }

    fn rekey(&mut self, _: u32) -> Result<bool, StoreError> {
        // Keys are computed when they are read.
        Ok(false)
    }
}

/// The sort key of a row of `visits v`, as [`QueueOrder::sort_key`] makes it.
pub(super) fn key_expression(order: &QueueOrder) -> String {
    let mut parts: Vec<&str> = order.rules().iter().map(|rule| part(*rule)).collect();
    parts.push("v.case_no");
    format!("({}) COLLATE \"C\"", parts.join(" || E'\\x01' || "))
}

fn part(rule: OrderRule) -> &'static str {
    match rule {
        OrderRule::Due => "v.due_key",
        OrderRule::Priority => "least(greatest(v.priority, 0), 9)::text",
        OrderRule::Promise => "CASE WHEN v.promise_open THEN v.promise_due ELSE '9999-99-99' END",
        OrderRule::Area => "v.area",
        OrderRule::Age => {
            "lpad((99999 - least(greatest(v.days_past_due, 0), 99999))::text, 5, '0')"
        }
    }
}
