using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Dalle;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Dalle;

/// <summary>Entries of a configuration in combinations that no file of the reference has, against the formulas.</summary>
public class DalleFormulaTests
{
    private const string All = "\"attn_types\": [\"full\", \"axial_row\", \"axial_col\", \"conv_like\"]";

    [Theory]
    [InlineData("{}")]
    [InlineData("{ \"dim\": 10, \"heads\": 3, \"dim_head\": 4, \"shift_tokens\": true, \"rotary_emb\": false, " + All + " }")]
    [InlineData("{ \"dim\": 9, \"heads\": 2, \"dim_head\": 7, \"reversible\": true, " + All + " }")]
    [InlineData("{ \"dim\": 12, \"heads\": 1, \"dim_head\": 20, \"stable\": true, \"sandwich_norm\": true, " + All + " }")]
    [InlineData("{ \"dim\": 14, \"dim_head\": 5, \"share_input_output_emb\": true, \"shared_attn_ids\": [0, 1, 0, 1], "
        + "\"attn_types\": [\"axial_col\", \"conv_like\"] }")]
    [InlineData("{ \"shared_ff_ids\": [\"a\", \"b\"], \"reversible\": true, \"stable\": true, \"rotary_emb\": false, " + All + " }")]
    [InlineData("{ \"shared_attn_ids\": [0], \"shared_ff_ids\": [3], \"attn_types\": [\"conv_like\"], \"depth\": 5 }")]
    [InlineData("{ \"shift_tokens\": false, \"share_input_output_emb\": true, \"reversible\": true, \"sandwich_norm\": true, "
        + "\"shared_attn_ids\": [1, 2, 1, 2, 1, 2], \"attn_types\": [\"axial_row\", \"axial_col\"], \"depth\": 6 }")]
    [InlineData("{ \"dim\": 7, \"heads\": 2, \"dim_head\": 13, \"rotary_emb\": false, \"share_input_output_emb\": true, " + All + " }")]
    [InlineData("{ \"text_seq_len\": 1, \"attn_types\": [\"conv_like\", \"full\"], \"dim_head\": 6 }")]
    [InlineData("{ \"dim\": 2, \"heads\": 1, \"dim_head\": 1, " + All + " }")]
    [InlineData("{ \"attn_types\": [\"axial_row\"], \"stable\": true, \"reversible\": true, \"share_input_output_emb\": true }", 1)]
    [InlineData("{ \"shift_tokens\": false, " + All + " }", 3)]
    public void Logits_at_once_and_code_by_code_equal_the_formulas(string changes, int side = 6)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var sizes = Save(folder.Path, changes, side);
        using var model = DalleModel.Load(folder.Path);
        using var checkpoint = Checkpoint.Open(folder.Path);
        var formulas = new DalleFromTheFormulas(sizes, checkpoint, side, model.CodebookSize);

        var random = new Random(5);
        int[] Draw(int count, int ids) => [.. Enumerable.Range(0, count).Select(_ => random.Next(ids))];
        var text = Draw(model.TextLength, model.TextVocabularySize);
        text[^1] = 0;
        var codes = Draw(side * side, model.CodebookSize);
        var expected = formulas.Logits(text, codes);

        AssertLogits(expected, model.Forward(Ids(text), Ids(codes)));
        if (side > 1)
            AssertLogits(expected[..^5], model.Forward(Ids(text), Ids(codes[..^6])));
        AssertLogits(expected[..(model.TextLength + 1)], model.Forward(Ids(text)));
        using var writer = model.CreateWriter([text, model.PadCaption(null)]);
        using var rereading = new RereadingWriter(model, [text, model.PadCaption(null)]);
        Assert.IsType<DalleWriter>(writer);
        for (var place = 0; place < codes.Length; place++)
        {
            var ofCodes = expected[model.TextLength + place][^model.CodebookSize..];
            AssertClose(ofCodes, writer.Logits(0));
            AssertClose(ofCodes, rereading.Logits(0));
            AssertClose(Array.ConvertAll(rereading.Logits(1).ToArray(), logit => (double)logit), writer.Logits(1));
            if (place == codes.Length - 1)
                break;
            writer.Read([codes[place], codes[place] / 2]);
            rereading.Read([codes[place], codes[place] / 2]);
        }
    }

    private static JsonObject Save(string folder, string changes, int side)
    {
        var codec = new JsonObject
        {
            ["image_size"] = 2 * side, ["num_layers"] = 1, ["num_tokens"] = 11, ["codebook_dim"] = 4, ["hidden_dim"] = 4,
        };
        var configuration = DalleModel.Configure(codec, textVocabulary: 17, textLength: 5, width: 16, depth: 4, heads: 2, headWidth: 12);
        var sizes = configuration["hparams"]!.AsObject();
        sizes.Remove("rotary_emb");
        sizes.Remove("shift_tokens"); // the package's defaults
        foreach (var (key, value) in JsonNode.Parse(changes)!.AsObject())
            sizes[key] = value!.DeepClone();
        using var model = DalleModel.Create(configuration, seed: 3);
        using var generator = new Generator(8);
        foreach (var (name, parameter) in model.named_parameters())
            parameter.add_(randn(parameter.shape, generator: generator) * (name.EndsWith(".scale", StringComparison.Ordinal) ? 1 : 0.2));
        model.Save(folder);
        return sizes;
    }

    private static Tensor Ids(int[] ids) => tensor(Array.ConvertAll(ids, id => (long)id), [1, ids.Length]);

    private static void AssertLogits(double[][] expected, Tensor logits)
    {
        Assert.Equal([1, expected.Length, expected[0].Length], logits.shape);
        for (var n = 0; n < expected.Length; n++)
        {
            var row = logits[0][n].data<float>().ToArray();
            AssertClose([.. expected[n].Where(double.IsFinite)], [.. row.Where((_, id) => double.IsFinite(expected[n][id]))]);
            Assert.All(row.Where((_, id) => !double.IsFinite(expected[n][id])), logit => Assert.Equal(float.MinValue, logit));
        }
    }

    private static void AssertClose(double[] expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        var largest = expected.Max(Math.Abs);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-4 * largest);
    }
}
