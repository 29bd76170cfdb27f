using MLTransfer.Persistence;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Memory;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MLTransfer.Images;

/// <summary>
/// Writes and reads the part of a model file that belongs to a network that writes codes of pictures. Beside the
/// <see cref="TextToImageManifest"/> its folder in the zip holds what the network's folder holds; or, where only adapters are saved,
/// <c>adapter_config.json</c>, <c>adapter_model.safetensors</c> and, where words
/// were trained, the tokenizer.
/// </summary>
internal static class TextToImageFile
{
    private static readonly ModelPart<TextToImageManifest> s_part =
        new("TEXT2IMG", TextToImageTransformer.TextLoaderSignature, "text-to-image generator");

    public static void Save(ModelSaveContext context, TextToImageTransformer transformer) => s_part.Write(context, writer =>
    {
        using var hold = transformer.Network.Hold();
        if (transformer.AdaptersOf is { } adapted)
        {
            writer.AddText(
                PeftAdapterFolder.ConfigurationFileName, PeftAdapterFolder.FormatConfiguration(transformer.Network, adapted.Id));
            writer.AddWeights(PeftAdapterFolder.WeightsFileName, PeftAdapterFolder.Tensors(transformer.Network));
            if (transformer is { Tokenizer: { } tokenizer, Network.Lora.TrainedTokens.Count: > 0 }) // which the base's may not have
            {
                foreach (var (name, content) in tokenizer.Files)
                    writer.AddText(name, content);
            }
        }
        else
        {
            using var folder = new TemporaryModelFolder(); // a network alone knows which files it consists of
            transformer.Network.Save(folder.Path);
            transformer.Tokenizer?.Save(folder.Path);
            AddFiles(writer, folder.Path);
        }

        return new TextToImageManifest
        {
            Columns = transformer.TextColumns,
            Generation = transformer.Generation,
            GenerationBatchSize = transformer.GenerationBatchSize,
            Seed = transformer.Seed,
            BaseModel = transformer.AdaptersOf,
            Files = writer.Files,
            Card = transformer.Card,
        };
    });

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    /// <exception cref="InvalidOperationException">
    /// The file holds only adapters, and the model that they need is not there or is another one.
    /// </exception>
    public static TextToImageTransformer Load(ModelLoadContext context, Device device) => s_part.Read(context, reader =>
    {
        var manifest = reader.Manifest;
        var (network, tokenizer) = ReadNetwork(reader, device);
        return Ownership.Pass(network, () => new TextToImageTransformer(
            network, tokenizer, manifest.Columns, manifest.Generation, manifest.GenerationBatchSize, manifest.Seed)
        {
            Card = manifest.Card,
            AdaptersOf = manifest.BaseModel,
        });
    });

    private static (TextToImageModel Network, TextTokenizer? Tokenizer) ReadNetwork(
        ModelPartReader<TextToImageManifest> reader, Device device)
    {
        if (reader.Manifest.BaseModel is not { } adapted)
        {
            using var folder = new TemporaryModelFolder();
            reader.Extract(folder.Path);
            return TextToImageBase.LoadFolder(folder.Path, device);
        }

        var configuration = reader.ReadJson(PeftAdapterFolder.ConfigurationFileName);
        using var adapters = reader.ReadWeights(PeftAdapterFolder.WeightsFileName);
        var tokenizerFiles = reader.Manifest.Files
            .Where(file => file.Name is not (PeftAdapterFolder.ConfigurationFileName or PeftAdapterFolder.WeightsFileName))
            .ToDictionary(file => file.Name, file => reader.ReadBytes(file.Name, FileKind.Tokenizer));
        var (network, tokenizer) = TextToImageBase.LoadFolder(adapted.Find(), device);
        if (tokenizer is not null && tokenizerFiles.Count > 0)
        {
            var before = tokenizer;
            tokenizer = Ownership.Pass(network, () => TextTokenizer.Load(tokenizerFiles));
            var whole = network;
            network = Ownership.Pass(whole, () => CaptionWords.Grow(whole, before, tokenizer));
        }

        return Ownership.Pass(network, () =>
        {
            PeftAdapterFolder.Load(network, configuration, adapters, reader.Origin);
            return (network, tokenizer);
        });
    }

    private static void AddFiles(ModelPartWriter writer, string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(folder, path).Replace('\\', '/');
            if (name.EndsWith(".safetensors", StringComparison.Ordinal))
                writer.Add(name, stream => CopyTo(path, stream));
            else
                writer.AddText(name, File.ReadAllBytes(path));
        }

        static void CopyTo(string path, Stream target)
        {
            using var source = FileOnDisk.OpenRead(path);
            source.CopyTo(target);
        }
    }
}
