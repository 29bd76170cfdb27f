using MLTransfer.Cards;
using MLTransfer.Persistence;
using Microsoft.ML.Runtime;

namespace MLTransfer.Images;

/// <summary>The image generator of either kind that training or generation starts from, in memory of its own.</summary>
/// <param name="StyleGan2">A StyleGAN2; null for the other kind.</param>
/// <param name="TextToImage">A network that writes codes of pictures; null for the other kind.</param>
internal sealed record ImageBase(ImageBaseModel? StyleGan2, TextToImageBase? TextToImage)
{
    /// <summary>Loads a model zip, a folder, a model of a hub or an embedded one.</summary>
    /// <param name="environment">The context.</param>
    /// <param name="name">The model's.</param>
    /// <param name="codecFolder">See <see cref="GenerateImagesOptions.CodecFolder"/>.</param>
    /// <param name="channel">Told of downloads.</param>
    /// <param name="cancellationToken">Stops downloads.</param>
    public static ImageBase Load(
        IHostEnvironment environment, string name, string? codecFolder, IChannel channel, CancellationToken cancellationToken)
    {
        if (ModelZip.Is(name))
        {
            var taken = ModelZip.Take<ImageGeneratorTransformer>(environment, name, ImageBaseModel.Wanted);
            return taken is TextToImageTransformer transformer
                ? new(null, TextToImageBase.Of(transformer, name, codecFolder, ComputeDevice.Of(environment)))
                : new(new ImageBaseModel(taken.Model, taken.Card?.Base ?? BaseOrigin.ReadFile(name)), null);
        }

        return ImageNetworkKinds.Of(name) == ImageNetworkKind.TextToImage
            ? new(null, TextToImageBase.Load(environment, name, codecFolder, channel, cancellationToken))
            : new(ImageBaseModel.Load(environment, name), null);
    }

    /// <summary>Loads or copies what options name.</summary>
    public static ImageBase Load(IHostEnvironment environment, ImageGeneratorOptions options, IChannel channel)
    {
        var found = Find(environment, options, channel);
        return found.TextToImage is { } start && options.TrainedWords is { Count: > 0 } words
            ? new(null, start.WithWords(words)) : found;
    }

    private static ImageBase Find(IHostEnvironment environment, ImageGeneratorOptions options, IChannel channel)
    {
        if (options.BaseModel is not { } model)
            return Load(environment, options.PretrainedModel, options.CodecFolder, channel, options.CancellationToken);
        var device = ComputeDevice.Of(environment);
        return TransformerChain.Find<ImageGeneratorTransformer>(model, ImageBaseModel.Wanted).Found is TextToImageTransformer found
            ? new(null, TextToImageBase.CopyOf(found, options.CodecFolder, device)) : new(ImageBaseModel.CopyOf(model, device), null);
    }
}
