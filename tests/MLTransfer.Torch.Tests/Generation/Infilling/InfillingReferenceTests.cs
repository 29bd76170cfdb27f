using System.Text.Json.Nodes;
using MLTransfer.Torch.Generation.Infilling;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation.Infilling;

/// <summary>Filled masks and scores of texts as the reference stack gives them.</summary>
public class InfillingReferenceTests
{
    private const double Rounding = 1e-4;

    private static readonly InfillingOptions s_options = new()
    {
        AllowSpecialTokens = true, CandidateCount = 10, TextForm = InfilledTextForm.Decoded,
    };

    [Theory]
    [MemberData(nameof(TinyInfiller.Folders), MemberType = typeof(TinyInfiller))]
    public void Candidates_and_their_probabilities_equal_the_reference(string folder)
    {
        using var tiny = new TinyInfiller(folder);
        var filled = tiny.Infiller.Infill(
            tiny.Texts, s_options with { Order = InfillingOrder.AllAtOnce }, TestContext.Current.CancellationToken);
        foreach (var (test, text) in tiny.Cases.Zip(filled))
        {
            Assert.Equal(
                test["masks"]!.AsArray().Select(mask => mask!["position"]!.GetValue<int>()), text.Masks.Select(mask => mask.Position));
            foreach (var (expected, mask) in test["masks"]!.AsArray().Zip(text.Masks))
            {
                var candidates = expected!["candidates"]!.AsArray();
                Assert.Equal(candidates.Select(item => item!["id"]!.GetValue<int>()), mask.Candidates.Select(item => item.TokenId));
                Assert.Equal(candidates.Select(item => item!["token"]!.GetValue<string>()), mask.Candidates.Select(item => item.Token));
                foreach (var (candidate, found) in candidates.Zip(mask.Candidates))
                    Assert.Equal(candidate!["log_probability"]!.GetValue<double>(), found.LogProbability, Rounding);
                Assert.Equal(mask.Candidates[0], mask.Chosen);
            }
        }
    }

    [Theory]
    [MemberData(nameof(TinyInfiller.Folders), MemberType = typeof(TinyInfiller))]
    public void Every_order_fills_the_same_tokens_in_the_same_order(string folder)
    {
        using var tiny = new TinyInfiller(folder);
        foreach (var (order, name) in (IEnumerable<(InfillingOrder, string)>)
        [
            (InfillingOrder.AllAtOnce, "all_at_once"), (InfillingOrder.LeftToRight, "left_to_right"),
            (InfillingOrder.MostConfidentFirst, "most_confident_first"),
        ])
        {
            var filled = tiny.Infiller.Infill(tiny.Texts, s_options with { Order = order }, TestContext.Current.CancellationToken);
            foreach (var (test, text) in tiny.Cases.Zip(filled))
            {
                var expected = test["filled"]![name]!;
                Assert.Equal(Numbers(expected["ids"]), text.TokenIds);
                Assert.Equal(Numbers(expected["order"]), text.Order);
                Assert.Equal(expected["text"]!.GetValue<string>(), text.Text);
            }
        }
    }

    [Theory]
    [MemberData(nameof(TinyInfiller.Folders), MemberType = typeof(TinyInfiller))]
    public void Pseudo_log_likelihoods_equal_the_reference(string folder)
    {
        using var tiny = new TinyInfiller(folder);
        var tests = tiny.Reference["pseudo_log_likelihood"]!.AsArray();
        var scores = tiny.Infiller.Score(
            [.. tests.Select(test => test!["text"]!.GetValue<string>())], batchSize: 7, TestContext.Current.CancellationToken);
        foreach (var (test, score) in tests.Zip(scores))
        {
            Assert.Equal(test!["count"]!.GetValue<int>(), score.TokenCount);
            foreach (var (expected, found) in test["token_log_probabilities"]!.AsArray().Zip(score.LogProbabilities))
                Assert.Equal(expected!.GetValue<double>(), found, Rounding);
            Assert.Equal(test["log_probability_sum"]!.GetValue<double>(), score.Sum, 10 * Rounding);
        }
    }

    private static IEnumerable<int> Numbers(JsonNode? list) => list!.AsArray().Select(value => value!.GetValue<int>());
}
