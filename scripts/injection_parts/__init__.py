"""Attacks by text: put into sources as an attacker would, and looked for in what agents see."""
