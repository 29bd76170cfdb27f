using Microsoft.ML;

namespace MLTransfer.Tests.Pages;

/// <summary>The README's program.</summary>
internal static class ReadmeProgram
{
    public static void Run()
    {
        #region Twenty lines
        var ml = new MLContext(seed: 1);
        IDataView stories = ml.Data.LoadFromTextFile<Story>("stories.tsv"); // an opening and a text a line

        var pipeline = ml.Transforms.CopyColumns("Prompt", "Opening")
            .Append(ml.Transforms.Text.FineTuneTextGenerator(
                outputColumnName: "Continuation", inputColumnName: "Prompt", trainingColumnName: "Text",
                new TextGeneratorOptions { Training = new() { NumberOfEpochs = 3, LearningRate = 5e-4 } })); // of PretrainedModels.Tales

        ITransformer model = pipeline.Fit(stories);
        ml.Model.Save(model, stories.Schema, "storyteller.zip");

        ITransformer loaded = ml.Model.Load("storyteller.zip", out _);
        foreach (var row in ml.Data.CreateEnumerable<Written>(loaded.Transform(stories), reuseRowObject: false))
            Console.WriteLine(row.Opening + row.Continuation);
        Console.WriteLine(ml.Generation.Evaluate(loaded, stories).Perplexity);
        #endregion
    }
}
