using MLTransfer.Persistence;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML;

namespace MLTransfer.Text;

/// <summary>
/// Writes and reads the part of a model file that belongs to a text generator. Beside the <see cref="TextGeneratorManifest"/> its folder in
/// the zip holds what a model's folder in Hugging Face layout holds: <c>config.json</c>, <c>model.safetensors</c> and the tokenizer's
/// files; or, where only adapters are saved, <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.
/// </summary>
internal static class TextGeneratorFile
{
    private const string ConfigurationName = "config.json";
    private const string WeightsName = "model.safetensors";

    private static readonly ModelPart<TextGeneratorManifest> s_part =
        new("TEXTGENR", TextGeneratorTransformer.LoaderSignature, "text generator");

    public static void Save(ModelSaveContext context, TextGeneratorTransformer transformer) => s_part.Write(context, writer =>
    {
        using var hold = transformer.Model.Network.Hold();
        var (network, weightType) = (transformer.Model.Network, transformer.WeightType.ToScalarType());
        if (transformer.BaseModel is { } baseModel)
        {
            writer.AddText(PeftAdapterFolder.ConfigurationFileName, PeftAdapterFolder.FormatConfiguration(network, baseModel.Id));
            writer.AddWeights(PeftAdapterFolder.WeightsFileName, PeftAdapterFolder.Tensors(network), weightType);
        }
        else
        {
            foreach (var (name, content) in transformer.Model.Tokenizer.Files)
                writer.AddText(name, content);
            writer.AddText(ConfigurationName, network.Configuration.ToJsonString());
            writer.AddWeights(WeightsName, network.CheckpointTensors(), weightType);
        }

        return new TextGeneratorManifest
        {
            Columns = transformer.Columns,
            Generation = transformer.Generation,
            GenerationBatchSize = transformer.GenerationBatchSize,
            DecodingPrecision = transformer.DecodingPrecision,
            WeightType = transformer.WeightType,
            RowForm = transformer.RowForm,
            PublishedEnds = transformer.Model.PublishedEnds is { Count: > 0 } ends ? ends : null,
            BaseModel = transformer.BaseModel,
            Files = writer.Files,
            Card = transformer.Model.Card,
        };
    });

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    /// <exception cref="InvalidOperationException">
    /// The file holds only adapters, and the model that they need is not there or is another one.
    /// </exception>
    public static TextGeneratorTransformer Load(ModelLoadContext context) => s_part.Read(context, reader =>
    {
        var manifest = reader.Manifest;
        var model = manifest.BaseModel is { } baseModel ? LoadAdapted(reader, baseModel) : LoadWhole(reader);
        model.Card = manifest.Card;
        return new TextGeneratorTransformer(
            model, ownsModel: true, manifest.Columns, manifest.Generation, manifest.GenerationBatchSize, manifest.DecodingPrecision,
            manifest.WeightType, manifest.RowForm, manifest.BaseModel);
    });

    private static TextGenerationModel LoadWhole(ModelPartReader<TextGeneratorManifest> reader)
    {
        reader.Find(WeightsName); // before the tokenizer is read
        var configuration = reader.ReadJson(ConfigurationName);

        // The tokenizer's tables are built while the weights are read.
        var tokenizerFiles = reader.Manifest.Files.Where(file => file.Name is not (WeightsName or ConfigurationName))
            .ToDictionary(file => file.Name, file => reader.ReadBytes(file.Name, FileKind.Tokenizer));
        var tokenizer = Task.Run(() => TextTokenizer.Load(tokenizerFiles));
        CausalLanguageModel network;
        try
        {
            using var checkpoint = reader.ReadWeights(WeightsName);
            network = CausalLanguageModel.Load(configuration, checkpoint, reader.Origin);
        }
        finally
        {
            ((IAsyncResult)tokenizer).AsyncWaitHandle.WaitOne(); // whatever happens, nothing is left running
        }

        return Ownership.Pass(network, () => new TextGenerationModel(network, tokenizer.GetAwaiter().GetResult())
        {
            PublishedEnds = reader.Manifest.PublishedEnds ?? [],
        });
    }

    private static TextGenerationModel LoadAdapted(ModelPartReader<TextGeneratorManifest> reader, BaseModelReference baseModel)
    {
        var configuration = reader.ReadJson(PeftAdapterFolder.ConfigurationFileName);
        using var adapters = reader.ReadWeights(PeftAdapterFolder.WeightsFileName);
        var model = baseModel.Load();
        return Ownership.Pass(model, () =>
        {
            PeftAdapterFolder.Load(model.Network, configuration, adapters, reader.Origin);
            return model;
        });
    }
}
