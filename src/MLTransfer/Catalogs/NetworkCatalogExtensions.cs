using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer;

/// <summary>Networks of your own in <c>mlContext.Transforms</c>.</summary>
public static class NetworkCatalogExtensions
{
    /// <summary>Puts new layers on a pretrained network and trains them, and of the network what is not frozen.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">
    /// The column for what the network gives: an image where the label is an image, a Single where it is a Single or a Boolean, else a
    /// vector of Single.
    /// </param>
    /// <param name="inputColumnName">
    /// The column that the network takes: a vector of Single with a known size, a Single, or an image.
    /// </param>
    /// <param name="labelColumnName">
    /// The column that the network learns to give: a vector of Single, a Single, a Boolean, an image, or a key for the classes of a
    /// categorical cross-entropy. With a key, <see cref="TorchModuleOptions.PredictedLabelColumnName"/> names one more column, and
    /// <c>MulticlassClassification.Evaluate</c> and <c>CrossValidate</c> work where <paramref name="outputColumnName"/> is <c>Score</c>;
    /// with a Boolean and a binary cross-entropy, <c>BinaryClassification</c>'s where it is <c>Probability</c>.
    /// </param>
    /// <param name="options">The network, its new layers, and how to train them.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static TorchModuleEstimator FineTuneTorchModule(
        this TransformsCatalog catalog, string outputColumnName, string inputColumnName, string labelColumnName, TorchModuleOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new TorchModuleEstimator(CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, labelColumnName, options);
    }

    /// <summary>Computes a pretrained network as it is for each row.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">
    /// The column for what the network gives: a vector of Single, or what <see cref="ApplyTorchModuleOptions.Output"/> says.
    /// </param>
    /// <param name="inputColumnName">
    /// The column that the network takes: a vector of Single with a known size, a Single, or an image.
    /// </param>
    /// <param name="network">The network.</param>
    /// <param name="options">How it takes rows; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static PretrainedTorchModuleEstimator ApplyTorchModule(
        this TransformsCatalog catalog, string outputColumnName, string inputColumnName, PretrainedNetwork network,
        ApplyTorchModuleOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new PretrainedTorchModuleEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, network, options ?? new ApplyTorchModuleOptions());
    }
}
