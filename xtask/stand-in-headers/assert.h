/* A stand-in for the header of a phone's SDK: enough to check code for it, not to build it. See ../src/target_checks.rs. */
#pragma once
#define assert(condition) ((void)0)
