"""The paper's tables and figures as programmes of trials: python -m orchestrator.reproduce."""
