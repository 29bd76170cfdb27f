using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;

namespace MLTransfer.Tests.Pages;

/// <summary>The programs of <c>docs/text.md</c>.</summary>
internal static class TextPrograms
{
    public static ITransformer Complete(MLContext ml, IDataView stories)
    {
        #region Completions with adapters
        var pipeline = ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", options: new TextGeneratorOptions
        {
            CompletionColumnName = "Text",                          // the loss is on it alone
            Lora = new LoraOptions { Rank = 8, Alpha = 16 },        // adapters are trained, the weights stay
            Training = new()
            {
                NumberOfEpochs = 3, LearningRate = 1e-3, EarlyStoppingPatience = 2,
                OutputDirectory = "run", CheckpointSteps = 100, CheckpointLimit = 2,
            },
            Generation = new() { MaximumNewTokens = 40, Sample = true, Temperature = 0.8, TopP = 0.95, StopStrings = ["\n\n"] },
            DecodingPrecision = DecodingPrecision.Int8,             // of generation alone
        });
        var model = pipeline.Fit(stories);
        #endregion
        return model;
    }

    public static TextGeneratorOptions EndByKey()
    {
        #region Ctrl-C
        using var stop = new CancellationTokenSource();
        using var cancel = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) =>
        {
            e.Cancel = true; // the process goes on
            (stop.IsCancellationRequested ? cancel : stop).Cancel();
        };
        var options = new TextGeneratorOptions { StopAndKeep = stop.Token, CancellationToken = cancel.Token };
        #endregion
        return options;
    }

    public static async Task Stream(MLContext ml)
    {
        #region A stream
        using var storyteller = ml.Generation.LoadPretrained(PretrainedModels.Tales);
        await foreach (var piece in storyteller.StreamAsync("Once upon a time", new GenerationOptions { MaximumNewTokens = 40 }))
            Console.Write(piece);
        #endregion
    }

    public static void WithoutMLNet()
    {
        #region Without ML.NET
        var model = CausalLanguageModel.Load("gpt2-folder");
        var tokenizer = TextTokenizer.Load("gpt2-folder");
        var rows = TrainingExamples.Blocks(tokenizer.Encode(File.ReadAllText("book.txt")), 256);
        new LanguageModelTrainer(model, new LanguageTrainingOptions { LearningRate = 5e-4 }, rows).Train();
        var generator = new TextGenerator(model, tokenizer);
        Console.WriteLine(generator.Generate(["Once upon a time"], new GenerationOptions { MaximumNewTokens = 50 })[0][0].Text);
        #endregion
    }

    public static void Quantize(CausalLanguageModel model)
    {
        #region int8
        WeightQuantization.Quantize(model); // it can neither be trained nor saved from here on
        #endregion
    }
}
