using System.Text.Json.Nodes;
using MLTransfer.Benchmarks.Report;
using MLTransfer.Models;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>A model to measure with. Every load gives the same weights, and no dropout.</summary>
internal sealed class BenchmarkedModel
{
    public const string TalesId = "tales";

    private readonly Func<ScalarType, CausalLanguageModel> _load;

    private BenchmarkedModel(string id, string name, JsonObject configuration, Func<ScalarType, CausalLanguageModel> load)
    {
        (Id, Name, _load) = (id, name, load);
        using var shapes = CausalLanguageModel.Create(configuration, device: META);
        Size = ModelSize.Of(shapes);
    }

    /// <summary>What <see cref="Find"/> finds it by.</summary>
    public string Id { get; }

    public string Name { get; }

    public ModelSize Size { get; }

    /// <exception cref="ArgumentException">There is no such folder.</exception>
    public static BenchmarkedModel Find(string idOrFolder) => idOrFolder switch
    {
        _ when ModelShapes.All.TryGetValue(idOrFolder, out var shape) => new(idOrFolder, shape.Name, shape.Configuration, type =>
        {
            manual_seed(1);
            return CausalLanguageModel.Create(shape.Configuration, type);
        }),
        TalesId => FromFolder(TalesId, "Tales", TalesModel.Folder),
        _ when Directory.Exists(idOrFolder) => FromFolder(
            idOrFolder, Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(idOrFolder))), idOrFolder),
        _ => throw new ArgumentException(
            $"--model: there is no folder '{idOrFolder}'. Name a checkpoint's folder, {TalesId}, or one of "
            + $"{string.Join(", ", ModelShapes.All.Keys)}."),
    };

    public CausalLanguageModel Load(ScalarType dataType = ScalarType.Float32)
    {
        var model = _load(dataType);
        model.Dropout = new DropoutProbabilities(0, 0, 0);
        return model;
    }

    /// <summary>Loads a checkpoint of the model in bfloat16, whose matrices stay so. It is written where it is not there yet.</summary>
    public CausalLanguageModel LoadStored()
    {
        var folder = Path.Combine(Path.GetTempPath(), "mltransfer-benchmarks", Name);
        if (!File.Exists(Path.Combine(folder, "config.json")))
            CheckpointCommand.Start(this, folder);
        var model = CausalLanguageModel.Load(folder, keepsMatrices: true);
        model.Dropout = new DropoutProbabilities(0, 0, 0);
        return model;
    }

    /// <summary>A shape that fits into the model's context.</summary>
    public TrainingShape Shape(int batchSize, int length) => new(batchSize, Math.Min(length, Size.ContextLength));

    /// <summary>Rows of random token ids, the same each time.</summary>
    public int[][] RandomTokens(int rows, int length)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, rows)
            .Select(_ => Enumerable.Range(0, length).Select(_ => random.Next(Size.VocabularySize)).ToArray())];
    }

    private static BenchmarkedModel FromFolder(string id, string name, string folder) =>
        new(id, name, ModelConfigurationFile.Read(folder), type => CausalLanguageModel.Load(folder, type));
}
