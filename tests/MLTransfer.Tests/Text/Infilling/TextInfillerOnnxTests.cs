using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLTransfer.Onnx;
using Xunit;

namespace MLTransfer.Tests.Text.Infilling;

public sealed class TextInfillerOnnxTests
{
    [Theory]
    [MemberData(nameof(TinyTexts.Folders), MemberType = typeof(TinyTexts))]
    public void ONNX_Runtime_gives_the_probabilities_of_the_masks(string folder)
    {
        var ml = new MLContext(seed: 1);
        var data = TinyTexts.Data(ml);
        using var target = new TemporaryFolder();
        using var model = ml.Transforms.Text.InfillText("Filled", "Opening", TinyTexts.PathOf(folder), new()
        {
            LogProbabilitiesColumnName = "Scores", Infilling = new() { Order = Torch.Generation.Infilling.InfillingOrder.AllAtOnce },
        }).Fit(data);
        var file = Assert.Single(ml.Generation.ExportToOnnx(model, target["onnx"]));
        Assert.Equal("model.onnx", file.Name);
        Assert.True(File.Exists(target["onnx/tokenizer.json"]));

        var filled = model.Model.Infill([TinyTexts.Rows[0].Opening!], model.Infilling, TestContext.Current.CancellationToken)[0];
        long[] ids = [.. filled.TokenIds.Select(id => (long)id)];
        foreach (var mask in filled.Masks)
            ids[mask.Position] = model.Model.Tokenizer.MaskId!.Value;
        int[] shape = [1, ids.Length];
        using var session = new InferenceSession(target["onnx/model.onnx"]);
        var inputs = new List<NamedOnnxValue>
        {
            NamedOnnxValue.CreateFromTensor("input_ids", new DenseTensor<long>(ids, shape)),
            NamedOnnxValue.CreateFromTensor("attention_mask", new DenseTensor<long>(Enumerable.Repeat(1L, ids.Length).ToArray(), shape)),
        };
        if (session.InputMetadata.ContainsKey("token_type_ids"))
            inputs.Add(NamedOnnxValue.CreateFromTensor("token_type_ids", new DenseTensor<long>(new long[ids.Length], shape)));
        using var results = session.Run(inputs);
        var logits = results.Single(result => result.Name == "logits").AsTensor<float>();
        foreach (var mask in filled.Masks)
        {
            double[] row = [.. Enumerable.Range(0, logits.Dimensions[2]).Select(id => (double)logits[0, mask.Position, id])];
            var normalizer = row.Max() + Math.Log(row.Sum(logit => Math.Exp(logit - row.Max())));
            Assert.Equal(mask.Chosen.LogProbability, row[mask.Chosen.TokenId] - normalizer, 1e-4);
        }
    }
}
