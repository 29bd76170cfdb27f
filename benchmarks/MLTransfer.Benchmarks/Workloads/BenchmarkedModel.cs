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
    public const string Gpt2Id = "gpt2";
    public const string TalesId = "tales";
    public const string SmolLm2Id = "smollm2";
    public const string Qwen3Id = "qwen3";
    public const string Qwen2Id = "qwen2";

    private static readonly JsonObject s_gpt2Small = new()
    {
        ["model_type"] = "gpt2", ["vocab_size"] = 50257, ["n_positions"] = 1024, ["n_embd"] = 768, ["n_layer"] = 12, ["n_head"] = 12,
    };

    private static readonly JsonObject s_smolLm2 = new()
    {
        ["model_type"] = "llama", ["vocab_size"] = 49152, ["hidden_size"] = 576, ["intermediate_size"] = 1536, ["num_hidden_layers"] = 30,
        ["num_attention_heads"] = 9, ["num_key_value_heads"] = 3, ["max_position_embeddings"] = 8192, ["rms_norm_eps"] = 1e-5,
        ["rope_theta"] = 100000.0, ["tie_word_embeddings"] = true,
    };

    private static readonly JsonObject s_qwen2 = new()
    {
        ["model_type"] = "qwen2", ["vocab_size"] = 151936, ["hidden_size"] = 1536, ["intermediate_size"] = 8960,
        ["num_hidden_layers"] = 28, ["num_attention_heads"] = 12, ["num_key_value_heads"] = 2, ["max_position_embeddings"] = 32768,
        ["rms_norm_eps"] = 1e-6, ["rope_theta"] = 1000000.0, ["tie_word_embeddings"] = true,
    };

    private static readonly JsonObject s_qwen3 = new()
    {
        ["model_type"] = "qwen3", ["vocab_size"] = 151936, ["hidden_size"] = 1024, ["intermediate_size"] = 3072,
        ["num_hidden_layers"] = 28, ["num_attention_heads"] = 16, ["num_key_value_heads"] = 8, ["head_dim"] = 128,
        ["max_position_embeddings"] = 40960, ["rms_norm_eps"] = 1e-6, ["rope_theta"] = 1000000.0, ["tie_word_embeddings"] = true,
    };

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

    /// <summary>Rows of a step that the report trains with.</summary>
    public int ReportedBatchSize => Id switch { TalesId => 16, Qwen3Id => 1, _ => 4 };

    /// <exception cref="ArgumentException">There is no such folder.</exception>
    public static BenchmarkedModel Find(string idOrFolder) => idOrFolder switch
    {
        Gpt2Id => OfShape(Gpt2Id, "GPT-2 124M", s_gpt2Small),
        SmolLm2Id => OfShape(SmolLm2Id, "SmolLM2-135M", s_smolLm2),
        Qwen3Id => OfShape(Qwen3Id, "Qwen3-0.6B", s_qwen3),
        Qwen2Id => OfShape(Qwen2Id, "Qwen2-1.5B", s_qwen2),
        TalesId => FromFolder(TalesId, "Tales", TalesModel.Folder),
        _ when Directory.Exists(idOrFolder) => FromFolder(
            idOrFolder, Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(idOrFolder))), idOrFolder),
        _ => throw new ArgumentException(
            $"--model: there is no folder '{idOrFolder}'. Name a checkpoint's folder, or {Gpt2Id}, {SmolLm2Id}, {Qwen3Id}, "
            + $"{Qwen2Id} or {TalesId}."),
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

    /// <summary>A published model's shape with random weights.</summary>
    private static BenchmarkedModel OfShape(string id, string name, JsonObject configuration) => new(id, name, configuration, type =>
    {
        manual_seed(1);
        return CausalLanguageModel.Create(configuration, type);
    });

    private static BenchmarkedModel FromFolder(string id, string name, string folder) =>
        new(id, name, ModelConfigurationFile.Read(folder), type => CausalLanguageModel.Load(folder, type));
}
