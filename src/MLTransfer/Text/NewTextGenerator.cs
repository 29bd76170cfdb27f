using System.Text;
using System.Text.Json.Nodes;
using MLTransfer.Cards;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Text;

/// <summary>Makes text generators with new weights.</summary>
internal static class NewTextGenerator
{
    private const string VocabularySize = "vocab_size";

    /// <param name="configurationJson">The content of <c>config.json</c>.</param>
    /// <param name="tokenizer">The tokenizer, which says what the configuration leaves out.</param>
    /// <param name="seed">Decides on the weights.</param>
    public static TextGenerationModel Create(string configurationJson, TextTokenizer tokenizer, long seed)
    {
        var configuration = JsonContent.ParseObject(Encoding.UTF8.GetBytes(configurationJson), "The configuration");
        Complete(configuration, tokenizer);
        var network = CausalLanguageModel.Create(configuration, seed: seed);
        return Ownership.Pass(network, () => new TextGenerationModel(network, tokenizer) { Card = new ModelCard(Base: null) });
    }

    /// <summary>Adds the number of tokens and the ids of special ones; families assume those of their own tokenizers.</summary>
    private static void Complete(JsonObject configuration, TextTokenizer tokenizer)
    {
        if (configuration[VocabularySize] is not { } size)
        {
            configuration[VocabularySize] = tokenizer.VocabularySize;
        }
        else if (Number(VocabularySize, size) is var tokens && tokens < tokenizer.VocabularySize)
        {
            throw new ArgumentException(
                $"{VocabularySize} of the configuration is {tokens}, but the tokenizer has {tokenizer.VocabularySize} tokens: raise it, or "
                + "leave it out.", nameof(configuration));
        }

        foreach (var (name, own) in ((string, int?)[])
        [
            ("bos_token_id", tokenizer.BeginningOfSequenceId), ("eos_token_id", tokenizer.EndOfSequenceId),
            ("pad_token_id", tokenizer.PaddingId),
        ])
        {
            if (configuration[name] is not { } given)
            {
                configuration[name] = own;
                continue;
            }

            int[] ids = [.. given is JsonArray several ? several.Select(id => Number(name, id)) : [Number(name, given)]];
            if (own is { } id && !ids.Contains(id))
            {
                throw new ArgumentException(
                    $"{name} of the configuration is {given.ToJsonString()}, but the tokenizer's is {id}: leave it out.",
                    nameof(configuration));
            }
        }
    }

    private static int Number(string name, JsonNode? node) => node is JsonValue value && value.TryGetValue(out int number)
        ? number : throw new ArgumentException(
            $"{name} of the configuration is {node?.ToJsonString() ?? "null"}; expected a whole number.");
}
