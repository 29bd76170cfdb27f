using MLTransfer.Onnx;
using MLTransfer.Onnx.Generation;
using MLTransfer.Torch.Generation;
using Microsoft.ML;

namespace MLTransfer.Tests.Pages;

/// <summary>The programs of <c>docs/onnx.md</c>.</summary>
internal static class OnnxPrograms
{
    public static void Export(MLContext ml, ITransformer model)
    {
        #region Export
        ml.Generation.ExportToOnnx(model, "storyteller-onnx");                                             // float32
        ml.Generation.ExportToOnnx(model, "storyteller-int8", new() { Precision = OnnxPrecision.Int8 });   // a quarter of the size
        ml.Generation.ExportToOnnx(model, "storyteller-web", new() { TransformersJsFiles = true });        // for Node and browsers
        #endregion
    }

    public static void Transform(MLContext ml, IDataView stories)
    {
        #region A pipeline in C#
        using var storyteller = ml.Generation.LoadOnnx("storyteller-onnx", outputColumnName: "Continuation", inputColumnName: "Opening");
        foreach (var row in ml.Data.CreateEnumerable<Written>(storyteller.Transform(stories), reuseRowObject: false))
            Console.WriteLine(row.Opening + row.Continuation);
        #endregion
    }

    public static void Generate()
    {
        #region C# without ML.NET
        using var generator = OnnxTextGenerator.Load("storyteller-onnx");
        Console.WriteLine("Once upon a time" + generator.Generate("Once upon a time", new GenerationOptions { MaximumNewTokens = 40 }));
        #endregion
    }

    public static IEstimator<ITransformer> Score(MLContext ml, ITransformer model)
    {
        #region Logits in C#
        ml.Generation.ExportToOnnx(model, "storyteller-logits", new() { FileWithoutPast = true });
        var logits = ml.Transforms.ApplyOnnxModel(
            ["logits"], ["input_ids", "attention_mask", "position_ids"], "storyteller-logits/model_without_past.onnx",
            new Dictionary<string, int[]>
            {
                ["input_ids"] = [1, 12], ["attention_mask"] = [1, 12], ["position_ids"] = [1, 12], // columns of 12 longs each
                ["logits"] = [1, 12, 4096],
            },
            recursionLimit: 100);
        #endregion
        return logits;
    }
}
