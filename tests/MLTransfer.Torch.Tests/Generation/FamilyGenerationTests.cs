using System.Text.Json.Nodes;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Networks.Transformers;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

/// <summary>What Hugging Face's <c>generate</c> gives with decoders of other families than GPT-2's.</summary>
public class FamilyGenerationTests
{
    public static IEnumerable<TheoryDataRow<string>> Folders => FamilyFolders.All.Where(row =>
        row.Data != "gpt2-tiny" && File.Exists(Path.Combine(FamilyFolders.PathOf(row.Data), "generation.json")));

    [Theory]
    [MemberData(nameof(Folders))]
    public void Greedy_and_beam_tokens_equal_the_reference(string folder)
    {
        var reference = JsonNode.Parse(File.ReadAllText(Path.Combine(FamilyFolders.PathOf(folder), "generation.json")))!;
        using var network = (CausalLanguageModel)FamilyFolders.Load(folder);
        var generator = new TokenGenerator(network);
        foreach (var test in reference["cases"]!.AsArray())
        {
            var prompt = TinyGenerator.Ids(test!["prompt_ids"]);
            var options = GenerationReferenceTests.ToOptions(test["options"]?.AsObject() ?? [], test["max_new_tokens"]!.GetValue<int>());
            var generated = generator.Generate([prompt], options, TestContext.Current.CancellationToken)[0][0];
            Assert.Equal(TinyGenerator.Ids(test["output_ids"]), prompt.Concat(generated.TokenIds));
        }

        Assert.True(network.FastSteps > 0);
    }
}
