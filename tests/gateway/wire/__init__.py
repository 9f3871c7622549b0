"""Tests of the gateway's wire."""
