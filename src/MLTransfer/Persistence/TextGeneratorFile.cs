using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Text;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML;

namespace MLTransfer.Persistence;

/// <summary>
/// Writes and reads the part of a model file that belongs to a text generator. Beside the <see cref="TextGeneratorManifest"/> its folder in the
/// zip holds what a model's folder in Hugging Face layout holds: <c>config.json</c>, <c>model.safetensors</c> and the tokenizer's files; or,
/// where only adapters are saved, <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.
/// </summary>
internal static class TextGeneratorFile
{
    private const string ConfigurationName = "config.json";
    private const string WeightsName = "model.safetensors";
    private const int MaximumConfigurationLength = 10 << 20;
    private const int MaximumTokenizerFileLength = 1 << 28;

    private static VersionInfo Version => ModelFileVersion.Create("TEXTGENR", TextGeneratorTransformer.LoaderSignature);

    public static void Save(ModelSaveContext context, TextGeneratorTransformer transformer)
    {
        if (!context.InRepository)
            throw new NotSupportedException("A text generator can only be saved to a model file (zip).");
        context.CheckAtModel();
        context.SetVersionInfo(Version);
        var model = transformer.Model;
        var archive = RepositoryArchive.Of(context.Repository);
        var files = new List<StoredFile>();
        if (transformer.BaseModel is { } baseModel)
        {
            Add(PeftAdapterFolder.ConfigurationFileName, true, Text(PeftAdapterFolder.FormatConfiguration(model.Network, baseModel.Id)));
            Add(PeftAdapterFolder.WeightsFileName, false, stream => SafetensorsWriter.Write(
                stream, PeftAdapterFolder.Tensors(model.Network), storeAs: transformer.WeightType.ToScalarType()));
        }
        else
        {
            foreach (var (name, content) in model.Tokenizer.Files)
                Add(name, true, stream => stream.Write(content));
            Add(ConfigurationName, true, Text(model.Network.Configuration.ToJsonString()));
            Add(WeightsName, false, stream => SafetensorsWriter.Write(
                stream, model.Network.CheckpointTensors(), storeAs: transformer.WeightType.ToScalarType()));
        }

        StoredManifest.Write(context, new TextGeneratorManifest
        {
            Columns = transformer.Columns,
            Generation = transformer.Generation,
            GenerationBatchSize = transformer.GenerationBatchSize,
            DecodingPrecision = transformer.DecodingPrecision,
            WeightType = transformer.WeightType,
            BaseModel = transformer.BaseModel,
            Files = files,
        });

        void Add(string name, bool compress, Action<Stream> write) => files.Add(StoredFile.Write(context, archive, name, compress, write));

        static Action<Stream> Text(string text) => stream => stream.Write(Encoding.UTF8.GetBytes(text));
    }

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    /// <exception cref="InvalidOperationException">The file holds only adapters, and the model that they need is not there or is another one.</exception>
    public static TextGeneratorTransformer Load(ModelLoadContext context)
    {
        ModelFileVersion.Check(context, Version);
        var manifest = StoredManifest.Read<TextGeneratorManifest>(context, "text generator", manifest => manifest.Check());
        var model = manifest.BaseModel is { } baseModel ? LoadAdapted(context, manifest, baseModel) : LoadWhole(context, manifest);
        return new TextGeneratorTransformer(
            model, ownsModel: true, manifest.Columns, manifest.Generation, manifest.GenerationBatchSize, manifest.DecodingPrecision,
            manifest.WeightType, manifest.BaseModel);
    }

    private static TextGenerationModel LoadWhole(ModelLoadContext context, TextGeneratorManifest manifest)
    {
        var weights = manifest.Find(WeightsName);
        var archive = RepositoryArchive.Of(context.Repository);
        var configuration = ReadJson(context, archive, manifest.Find(ConfigurationName));

        // The tokenizer's tables are built while the weights are read.
        var tokenizerFiles = manifest.Files.Where(file => file.Name is not (WeightsName or ConfigurationName))
            .ToDictionary(file => file.Name, file => file.ReadBytes(context, archive, MaximumTokenizerFileLength));
        var tokenizer = Task.Run(() => TextTokenizer.Load(tokenizerFiles));
        CausalLanguageModel network;
        try
        {
            using var checkpoint = weights.Read(context, archive, stream => SafetensorsFile.Read(stream, WeightsName));
            network = CausalLanguageModel.Load(configuration, checkpoint, Origin(context));
        }
        finally
        {
            ((IAsyncResult)tokenizer).AsyncWaitHandle.WaitOne(); // whatever happens, nothing is left running
        }

        return Combine(context, network, () => new TextGenerationModel(network, tokenizer.GetAwaiter().GetResult()));
    }

    private static TextGenerationModel LoadAdapted(ModelLoadContext context, TextGeneratorManifest manifest, BaseModelReference baseModel)
    {
        var archive = RepositoryArchive.Of(context.Repository);
        var configuration = ReadJson(context, archive, manifest.Find(PeftAdapterFolder.ConfigurationFileName));
        using var adapters = manifest.Find(PeftAdapterFolder.WeightsFileName)
            .Read(context, archive, stream => SafetensorsFile.Read(stream, PeftAdapterFolder.WeightsFileName));
        var model = baseModel.Load();
        return Combine(context, model, () =>
        {
            PeftAdapterFolder.Load(model.Network, configuration, adapters, Origin(context));
            return model;
        });
    }

    private static TextGenerationModel Combine(ModelLoadContext context, IDisposable owned, Func<TextGenerationModel> combine)
    {
        try
        {
            return combine();
        }
        catch (Exception exception)
        {
            owned.Dispose();
            if (exception is ArgumentException)
                throw new InvalidDataException($"{Origin(context)}: {exception.Message}", exception);
            throw;
        }
    }

    private static string Origin(ModelLoadContext context) => $"The model file's part '{context.Directory}'";

    private static JsonObject ReadJson(ModelLoadContext context, ZipArchive? archive, StoredFile file)
    {
        try
        {
            return JsonNode.Parse(file.ReadBytes(context, archive, MaximumConfigurationLength)) as JsonObject
                ?? throw new InvalidDataException($"The model file is damaged: '{file.Name}' is not a JSON object.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"The model file is damaged: '{file.Name}' is not valid JSON: {exception.Message}", exception);
        }
    }
}
