using MLTransfer.Cards;
using MLTransfer.Persistence;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Images;

/// <summary>The image generator that training or generation starts from, in memory of its own.</summary>
/// <param name="Model">The model; belongs to whom this was made for.</param>
/// <param name="Origin">What a model card tells of where it comes from; null where nothing is known.</param>
internal sealed record ImageBaseModel(StyleGan2Model Model, BaseOrigin? Origin)
{
    public const string Wanted = "no image generator";

    /// <summary>Loads a model zip, a folder or an embedded model.</summary>
    public static ImageBaseModel Load(IHostEnvironment environment, string name)
    {
        if (ModelZip.Is(name))
        {
            var transformer = ModelZip.Take<ImageGeneratorTransformer>(environment, name, Wanted);
            return new ImageBaseModel(transformer.Model, transformer.Card?.Base ?? BaseOrigin.ReadFile(name));
        }

        var folder = PretrainedModels.ResolveImageFolder(name);
        return new ImageBaseModel(StyleGan2Model.Load(folder, ComputeDevice.Of(environment)), BaseOrigin.Read(name, folder));
    }

    /// <summary>Copies the model of a transformer, or of a chain with one, which stays as it is.</summary>
    /// <exception cref="ArgumentException">There is no image generator.</exception>
    public static ImageBaseModel CopyOf(ITransformer transformer, Device device)
    {
        var found = TransformerChain.Find<ImageGeneratorTransformer>(transformer, Wanted).Found;
        return new ImageBaseModel(found.CopyModel(device), found.Card?.Base);
    }

    /// <summary>A model of the base's sizes, without its weights.</summary>
    public static StyleGan2Model Sizes(IHostEnvironment environment, ImageGeneratorOptions options)
    {
        if (options.BaseModel is { } loaded)
            return Sizes(TransformerChain.Find<ImageGeneratorTransformer>(loaded, Wanted).Found.Model);
        if (ModelZip.Is(options.PretrainedModel))
        {
            using var transformer = ModelZip.Take<ImageGeneratorTransformer>(environment, options.PretrainedModel, Wanted);
            return Sizes(transformer.Model);
        }

        return StyleGan2Model.Create(
            ModelConfigurationFile.Read(PretrainedModels.ResolveImageFolder(options.PretrainedModel)), torch.META);
    }

    private static StyleGan2Model Sizes(StyleGan2Model model) =>
        StyleGan2Model.Create(model.Configuration.DeepClone().AsObject(), torch.META);
}
