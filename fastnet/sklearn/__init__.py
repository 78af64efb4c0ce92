"""scikit-learn estimators on fastnet's networks.

>>> from fastnet.sklearn import MLPClassifier
>>> classifier = MLPClassifier((16,), max_iter=500, tol=1e-3, random_state=0)
>>> classifier.fit([[0, 0], [0, 1], [1, 0], [1, 1]], ["same", "other", "other", "same"])
MLPClassifier(hidden_layer_sizes=(16,), max_iter=500, random_state=0, tol=0.001)
>>> classifier.predict([[1, 0]]).tolist()
['other']

Needs scikit-learn: ``pip install "fastnet[sklearn]"``.
"""

try:
    import sklearn  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "sklearn":
        raise
    raise ImportError(
        'fastnet.sklearn needs scikit-learn 1.6 or newer: pip install "fastnet[sklearn]"'
    ) from error

from fastnet.sklearn.classifier import MLPClassifier
from fastnet.sklearn.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
