using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Processors;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

/// <summary>What files say of single tokens, by transformers' rules.</summary>
public class TokenRuleTests
{
    private const int Vocabulary = 8;

    public static TheoryData<string, int[], int, int[]> Rules => new()
    {
        // entry, the sequence so far, how many of it are the prompt, the tokens that may follow
        { """{"forced_bos_token_id": 5}""", [2], 1, [5] },
        { """{"forced_bos_token_id": 5}""", [2, 5], 1, [0, 1, 2, 3, 4, 5, 6, 7] },
        { """{"forced_bos_token_id": 5}""", [2, 3], 2, [0, 1, 2, 3, 4, 5, 6, 7] },
        { """{"forced_eos_token_id": 2}""", [0, 1, 1, 1], 1, [2] },
        { """{"forced_eos_token_id": [2, 6]}""", [0, 0, 1, 1, 1], 2, [2, 6] },
        { """{"forced_eos_token_id": 2}""", [0, 1, 1], 1, [0, 1, 2, 3, 4, 5, 6, 7] },
        { """{"suppress_tokens": [1, 3, 99]}""", [0, 4], 1, [0, 2, 4, 5, 6, 7] },
        { """{"begin_suppress_tokens": [1, 3]}""", [4], 1, [0, 2, 4, 5, 6, 7] },
        { """{"begin_suppress_tokens": [1, 3]}""", [4, 4, 4], 3, [0, 2, 4, 5, 6, 7] },
        { """{"begin_suppress_tokens": [1, 3]}""", [4, 4], 1, [0, 1, 2, 3, 4, 5, 6, 7] },
        { """{"begin_suppress_tokens": [1, 3], "forced_bos_token_id": 5}""", [4], 1, [5] },
        { """{"begin_suppress_tokens": [1, 3], "forced_bos_token_id": 5}""", [4, 5], 1, [0, 2, 4, 5, 6, 7] },
        { """{"bad_words_ids": [[6], [3, 4], [7, 99]]}""", [0, 3], 1, [0, 1, 2, 3, 5, 7] },
        { """{"bad_words_ids": [[6], [3, 4]]}""", [3], 1, [0, 1, 2, 3, 4, 5, 7] }, // shorter than the run
        { """{"bad_words_ids": [[6], [3, 4]]}""", [3, 0], 1, [0, 1, 2, 3, 4, 5, 7] },
        { """{"bad_words_ids": [[2]]}""", [0], 1, [0, 1, 2, 3, 4, 5, 6, 7] }, // what ends a sequence may always
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public void An_entry_leaves_the_tokens_that_it_allows(string configuration, int[] tokens, int promptLength, int[] expected)
    {
        var rules = TokenRules.Read(JsonNode.Parse(configuration)!.AsObject(), Vocabulary);
        var logits = new float[Vocabulary];
        LogitsPipeline.Create(new GenerationOptions { MaximumNewTokens = 4 }, Vocabulary, [2], rules).Apply(logits, tokens, promptLength);
        Assert.Equal(expected, Enumerable.Range(0, Vocabulary).Where(id => !float.IsNegativeInfinity(logits[id])));
    }

    [Theory]
    [InlineData("""{"suppress_tokens": "none"}""", "suppress_tokens")]
    [InlineData("""{"bad_words_ids": [3]}""", "bad_words_ids")]
    [InlineData("""{"bad_words_ids": [[]]}""", "bad_words_ids")]
    [InlineData("""{"forced_bos_token_id": 1.5}""", "forced_bos_token_id")]
    public void A_malformed_entry_is_refused_by_name(string configuration, string name) => Assert.Contains(
        name, Assert.Throws<InvalidDataException>(() => TokenRules.Read(JsonNode.Parse(configuration)!.AsObject(), Vocabulary)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Where_there_is_a_generation_configuration_it_decides_alone_and_a_saved_model_says_the_same()
    {
        using var folder = new TemporaryFolder();
        var reference = RepositoryFiles.Data("families/bart-tiny");
        foreach (var name in (string[])["config.json", "model.safetensors"])
            File.Copy(Path.Combine(reference, name), folder[name]);
        Assert.Null(ModelConfigurationFile.Read(folder.Path)["forced_bos_token_id"]);
        Assert.Equal(2, ModelConfigurationFile.Read(folder.Path)["forced_eos_token_id"]!.GetValue<int>());

        File.WriteAllText(folder["generation_config.json"], """{"forced_bos_token_id": 9, "suppress_tokens": [4], "num_beams": 3}""");
        Directory.CreateDirectory(folder["saved"]);
        using (var network = TransformerNetwork.Load(folder.Path))
            network.Save(folder["saved"]);

        var saved = ModelConfigurationFile.Read(folder["saved"]);
        Assert.Equal(9, saved["forced_bos_token_id"]!.GetValue<int>());
        Assert.Equal("[4]", saved["suppress_tokens"]!.ToJsonString());
        Assert.Null(saved["forced_eos_token_id"]);
        Assert.Null(saved["num_beams"]);
        Assert.Equal(2, saved["decoder_start_token_id"]!.GetValue<int>()); // training begins with it too
    }
}
