using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>The checkpoints of the reference stack in <c>tests/data/families</c>, of tiny networks with random weights.</summary>
internal static class FamilyFolders
{
    public static IEnumerable<TheoryDataRow<string>> All =>
        Directory.EnumerateDirectories(RepositoryFiles.Data("families")).Order(StringComparer.Ordinal)
            .Append(RepositoryFiles.Data("gpt2-tiny"))
            .Select(folder => new TheoryDataRow<string>(Path.GetFileName(folder)));

    public static string PathOf(string name) =>
        Directory.Exists(RepositoryFiles.Data($"families/{name}")) ? RepositoryFiles.Data($"families/{name}") : RepositoryFiles.Data(name);

    public static JsonObject Configuration(string name) => ModelConfigurationFile.Read(PathOf(name));

    public static Checkpoint Open(string name) => Checkpoint.Open(PathOf(name));

    public static TransformerNetwork Load(string name) => TransformerNetwork.Load(PathOf(name));

    /// <summary>The first checkpoint of a family.</summary>
    public static TransformerNetwork LoadFamily(string modelType) => Load(FirstOf(modelType));

    /// <summary>
    /// Whether a family's first checkpoint is a decoder of one stream of tokens that looks at no encoder: a generator of text alone.
    /// </summary>
    public static bool IsTextDecoder(string modelType)
    {
        using var network = LoadFamily(modelType);
        return network is CausalLanguageModel && network.Output.Input.Tables.Count == 1
            && network.Description.Decoder!.Blocks[0].Cross is null;
    }

    /// <summary>
    /// A new network of a family that is four times as wide as the checkpoint and whose norms have a small epsilon: rounding weighs in it
    /// as in the networks that people have, not as in one of 32 values a token.
    /// </summary>
    public static TransformerNetwork CreateWide(string modelType)
    {
        var configuration = Configuration(FirstOf(modelType));
        foreach (var (key, _) in configuration.ToList())
        {
            if (key is "hidden_size" or "n_embd" or "d_model" or "dim" or "word_embed_proj_dim")
                configuration[key] = 128;
            else if (key is "intermediate_size" or "ffn_dim" or "hidden_dim" or "d_ff" or "encoder_ffn_dim" or "decoder_ffn_dim"
                && configuration[key] is not null)
                configuration[key] = 256;
            else if (key is "rms_norm_eps" or "layer_norm_epsilon" or "layer_norm_eps")
                configuration[key] = 1e-6;
            else if (key is "initializer_range" or "init_std" or "initializer_factor" && modelType != "t5")
                // what Gemma adds to the embedding has size 1
                configuration[key] = modelType.StartsWith("gemma", StringComparison.Ordinal) ? 0.1 : 0.02;
            else if (key is "final_logit_softcapping" && configuration[key] is not null)
                configuration[key] = 30; // as published: a cap of 8 flattens most logits
            else if (key is "rope_scaling" && configuration[key]?["long_factor"] is not null)
                configuration[key] = null; // of the checkpoint's head width
        }

        return TransformerNetwork.Create(configuration, seed: 3);
    }

    /// <summary>The folder of the first checkpoint of a family.</summary>
    public static string FirstOf(string modelType) =>
        All.Select(row => row.Data).First(name => Configuration(name)["model_type"]!.ToString() == modelType);
}
