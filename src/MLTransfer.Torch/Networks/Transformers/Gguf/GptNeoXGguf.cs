using System.Text.Json.Nodes;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>GPT-NeoX and Pythia: all queries, all keys, all values in one tensor, where checkpoints have them head by head.</summary>
internal static class GptNeoXGguf
{
    public static GgufArchitecture Architecture { get; } = new("gptneox", ["gpt_neox"], Configure)
    {
        // llama.cpp has the approximation alone.
        Activations = [Activation.Gelu, Activation.GeluTanh],
        Biases = GgufBiases.Needed,
        NeedsOutput = true,
        TellsHeads = false,
        TellsTurnedWidth = true,
        TurnsParts = true,
        AddKeys = keys => keys.Add("use_parallel_residual", keys.Stack.Blocks[0].Parallel),
    };

    private static JsonObject Configure(GgufEntries entries)
    {
        var configuration = entries.Decoder("gpt_neox", "GPTNeoXForCausalLM", share: "rotary_pct");
        configuration["layer_norm_eps"] = entries.Number("attention.layer_norm_epsilon");
        configuration["use_parallel_residual"] = entries.Flag("use_parallel_residual", true);
        configuration["rope_scaling"] = entries.RopeScaling();
        return configuration;
    }
}
