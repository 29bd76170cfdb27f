using MLTransfer.Cards;
using MLTransfer.Logging;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
using MLTransfer.Torch.Networks.DalleMini;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace MLTransfer.Images;

/// <summary>The network that writes codes of pictures that training or generation starts from, in memory of its own.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Network">The network; belongs to whom this was made for.</param>
/// <param name="Tokenizer">The tokenizer of captions; null where there is none.</param>
/// <param name="Origin">What a model card tells of where it comes from; null where nothing is known.</param>
/// <param name="Folder">Where its checkpoint is; null where it is in no folder.</param>
internal sealed record TextToImageBase(
    string Name, TextToImageModel Network, TextTokenizer? Tokenizer, BaseOrigin? Origin, string? Folder = null)
{
    /// <summary>Loads a folder or a model of a hub.</summary>
    /// <exception cref="ArgumentException">It holds another kind of network.</exception>
    public static TextToImageBase Load(
        IHostEnvironment environment, string name, string? codecFolder, IChannel channel, CancellationToken cancellationToken)
    {
        var folder = PretrainedModels.ResolveFolder(name, revision: null, new DownloadLog(channel), cancellationToken);
        var device = ComputeDevice.Of(environment);
        var (network, tokenizer) = LoadFolder(folder, device);
        return new TextToImageBase(name, network, tokenizer, BaseOrigin.Read(name, folder), folder).WithCodec(codecFolder, device);
    }

    /// <summary>What a transformer that a model zip held, and that nobody else uses, starts from.</summary>
    public static TextToImageBase Of(TextToImageTransformer transformer, string zip, string? codecFolder, Device device)
    {
        using var adapted = transformer.Network.Lora is null ? null : transformer;
        var network = adapted is null ? transformer.Network : transformer.CopyNetwork(device); // adapters become part of the weights
        return new TextToImageBase(zip, network, transformer.Tokenizer, transformer.Card?.Base ?? BaseOrigin.ReadFile(zip))
            .WithCodec(codecFolder, device);
    }

    /// <summary>Copies the network of a transformer, which stays as it is.</summary>
    public static TextToImageBase CopyOf(TextToImageTransformer transformer, string? codecFolder, Device device) =>
        new TextToImageBase("the loaded model", transformer.CopyNetwork(device), transformer.Tokenizer, transformer.Card?.Base)
            .WithCodec(codecFolder, device);

    /// <summary>Loads a network and, where its folder has one, the tokenizer of captions.</summary>
    /// <exception cref="ArgumentException">The folder holds another kind of network.</exception>
    public static (TextToImageModel Network, TextTokenizer? Tokenizer) LoadFolder(string folder, Device device)
    {
        var loaded = GenerativeNetwork.Load(folder, device: device);
        return Ownership.Pass(loaded, () =>
        {
            if (loaded is not TextToImageModel network)
            {
                throw new ArgumentException(
                    $"'{folder}' holds a network of the kind {loaded.GetType().Name}, which makes no pictures. Image generators are "
                    + "StyleGAN2, DALL-E and DALL-E mini.");
            }

            return (network, TokenizerFiles.IsIn(folder) ? TextTokenizer.Load(folder) : null);
        });
    }

    /// <summary>The base with a token for each word that its tokenizer has none for; the network before is disposed where the result is
    /// another.</summary>
    /// <exception cref="ArgumentException">A word cannot become a token.</exception>
    public TextToImageBase WithWords(IReadOnlyList<string> words) => Tokenizer is null ? this : Ownership.Pass(Network, () =>
    {
        var tokenizer = CaptionWords.Add(Tokenizer, words);
        return this with { Network = CaptionWords.Grow(Network, Tokenizer, tokenizer), Tokenizer = tokenizer };
    });

    private TextToImageBase WithCodec(string? folder, Device device) => folder is null ? this : Ownership.Pass(Network, () =>
    {
        if (Network is not DalleMiniModel mini)
        {
            throw new ArgumentException(
                $"{nameof(GenerateImagesOptions.CodecFolder)} is for a DALL-E mini, whose checkpoint has the decoder of its codec alone; "
                + $"the model is {Network.GetName()}. Leave it out.");
        }

        using var codec = VqganModel.Load(folder, device);
        mini.AttachCodec(codec);
        return this;
    });
}
