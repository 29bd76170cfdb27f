using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Hub;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;

namespace MLTransfer.Images;

/// <summary>The kinds of networks that make pictures.</summary>
internal enum ImageNetworkKind
{
    /// <summary>A StyleGAN2.</summary>
    StyleGan2,

    /// <summary>A network that reads captions and writes the codes of pictures.</summary>
    TextToImage,

    /// <summary>Either; what it is shows when it is loaded.</summary>
    Unknown,
}

internal static class ImageNetworkKinds
{
    /// <summary>The kind of what a name stands for, as far as that shows without loading it. What is not there counts as a StyleGAN2,
    /// whose loading tells what is missing.</summary>
    public static ImageNetworkKind Of(string name)
    {
        if (name == PretrainedModels.Shapes)
            return ImageNetworkKind.StyleGan2;
        var path = HubOptions.ExpandHome(name);
        if (File.Exists(path))
            return ImageNetworkKind.Unknown;
        if (!Directory.Exists(path))
            return IsHubId(name) ? ImageNetworkKind.TextToImage : ImageNetworkKind.StyleGan2;
        if (File.Exists(Path.Combine(path, StyleGan2Model.GeneratorFile)) || IsConfiguredAsStyleGan2(path))
            return ImageNetworkKind.StyleGan2;
        try
        {
            NetworkForm.Of(path);
            return ImageNetworkKind.TextToImage;
        }
        catch (FileNotFoundException)
        {
            return ImageNetworkKind.StyleGan2;
        }
    }

    /// <summary>The kind of a transformer, or of a chain with one.</summary>
    /// <exception cref="ArgumentException">There is no image generator.</exception>
    public static ImageNetworkKind Of(ITransformer model) =>
        TransformerChain.Find<ImageGeneratorTransformer>(model, ImageBaseModel.Wanted).Found is TextToImageTransformer
            ? ImageNetworkKind.TextToImage : ImageNetworkKind.StyleGan2;

    /// <summary>An owner and a name, and no path.</summary>
    private static bool IsHubId(string name) =>
        !PretrainedModel.IsPath(name) && !name.EndsWith(".zip", StringComparison.OrdinalIgnoreCase) && name.Split('/').Length == 2
        && name.Split('/').All(part => part.Length > 0 && !part.Contains('\\', StringComparison.Ordinal));

    private static bool IsConfiguredAsStyleGan2(string folder) =>
        File.Exists(Path.Combine(folder, ModelConfigurationFile.FileName))
        && ModelConfigurationFile.Read(folder)["architecture"]?.ToString() == StyleGan2Configuration.Architecture;
}
