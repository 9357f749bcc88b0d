"""Everything fitted: splits, models, evaluation, stored models. The only part with scikit-learn."""
