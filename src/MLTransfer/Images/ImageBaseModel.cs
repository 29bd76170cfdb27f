using MLTransfer.Cards;
using MLTransfer.Persistence;
using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer.Images;

/// <summary>The image generator that training or generation starts from, in memory of its own.</summary>
/// <param name="Model">The model; belongs to whom this was made for.</param>
/// <param name="Origin">What a model card tells of where it comes from; null where nothing is known.</param>
internal sealed record ImageBaseModel(StyleGan2Model Model, BaseOrigin? Origin)
{
    private const string Wanted = "no image generator";

    /// <summary>Loads a model zip, a folder or an embedded model.</summary>
    public static ImageBaseModel Load(IHostEnvironment environment, string name)
    {
        if (ModelZip.Is(name))
        {
            var transformer = ModelZip.Take<ImageGeneratorTransformer>(environment, name, Wanted);
            return new ImageBaseModel(transformer.Model, transformer.Card?.Base ?? BaseOrigin.ReadFile(name));
        }

        var folder = PretrainedModels.ResolveImageFolder(name);
        return new ImageBaseModel(StyleGan2Model.Load(folder), BaseOrigin.Read(name, folder));
    }

    /// <summary>Copies the model of a transformer, or of a chain with one, which stays as it is.</summary>
    /// <exception cref="ArgumentException">There is no image generator.</exception>
    public static ImageBaseModel CopyOf(ITransformer transformer)
    {
        var found = TransformerChain.Find<ImageGeneratorTransformer>(transformer, Wanted).Found;
        return new ImageBaseModel(found.CopyModel(), found.Card?.Base);
    }
}
