using MLTransfer.Persistence;
using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer.Images;

/// <summary>The image generator that training or generation starts from, in memory of its own.</summary>
internal static class ImageBaseModel
{
    private const string Wanted = "no image generator";

    /// <summary>Loads a model zip, a folder or an embedded model.</summary>
    public static StyleGan2Model Load(IHostEnvironment environment, string name) => ModelZip.Is(name)
        ? ModelZip.Take<ImageGeneratorTransformer>(environment, name, Wanted).Model
        : StyleGan2Model.Load(PretrainedModels.ResolveImageFolder(name));

    /// <summary>Copies the model of a transformer, or of a chain with one, which stays as it is.</summary>
    /// <exception cref="ArgumentException">There is no image generator.</exception>
    public static StyleGan2Model CopyOf(ITransformer transformer) =>
        TransformerChain.Find<ImageGeneratorTransformer>(transformer, Wanted).Found.CopyModel();
}
