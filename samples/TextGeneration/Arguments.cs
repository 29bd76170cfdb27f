using System.Globalization;
using MLTransfer;

namespace TextGeneration;

/// <summary>The program's command line.</summary>
internal sealed class Arguments
{
    public const string Usage = """
        Fine-tunes a pretrained text generator on a text and writes with it, before and after.

          dotnet run --project samples/TextGeneration -c Release -- [options]

          --model DIR        a folder in Hugging Face layout or a hub id such as gpt2 (default: the embedded model)
          --text FILE        the text to learn from, UTF-8; its last tenth is held out (default: the sample's stories)
          --prompt TEXT      what the model continues (default: an opening that fits the stories)
          --epochs N         times to go through the text (default: 3)
          --batch-size N     rows of 256 tokens, or of the model's context, a step (default: 4)
          --learning-rate X  the peak learning rate (default: 3e-4)
          --lora RANK        train LoRA adapters of this rank instead of all weights
          --max-steps N      stop after this many steps, whatever --epochs says
          --new-tokens N     tokens to write for the prompt (default: 80)
          --seed N           makes the run repeatable (default: 1)
          --output DIR       for the model zip, loss.png and metrics.jsonl (default: output/text-generation)
          --help             this text
        """;

    public string Model { get; private set; } = PretrainedModels.Tales;

    public string? TextFile { get; private set; }

    public string Prompt { get; private set; } = "As I stood upon the hill and looked across the dead sea bottom, I saw";

    public int Epochs { get; private set; } = 3;

    public int BatchSize { get; private set; } = 4;

    public double LearningRate { get; private set; } = 3e-4;

    public int? LoraRank { get; private set; }

    public int MaximumSteps { get; private set; }

    public int NewTokens { get; private set; } = 80;

    public int Seed { get; private set; } = 1;

    public string Output { get; private set; } = Path.Combine("output", "text-generation");

    public bool Help { get; private set; }

    /// <exception cref="ArgumentException">An argument is unknown or its value is not usable.</exception>
    public static Arguments Parse(string[] args)
    {
        var parsed = new Arguments();
        for (var i = 0; i < args.Length; i++)
        {
            var name = args[i];
            switch (name)
            {
                case "--help" or "-h": parsed.Help = true; break;
                case "--model": parsed.Model = Value(); break;
                case "--text": parsed.TextFile = Value(); break;
                case "--prompt": parsed.Prompt = Value(); break;
                case "--epochs": parsed.Epochs = Number(1); break;
                case "--batch-size": parsed.BatchSize = Number(1); break;
                case "--learning-rate": parsed.LearningRate = Real(); break;
                case "--lora": parsed.LoraRank = Number(1); break;
                case "--max-steps": parsed.MaximumSteps = Number(1); break;
                case "--new-tokens": parsed.NewTokens = Number(1); break;
                case "--seed": parsed.Seed = Number(0); break;
                case "--output": parsed.Output = Value(); break;
                default: throw new ArgumentException($"Unknown argument '{name}'. --help lists the known ones.");
            }

            string Value() => ++i < args.Length ? args[i] : throw new ArgumentException($"{name} needs a value.");

            int Number(int minimum) =>
                int.TryParse(Value(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= minimum
                    ? number : throw new ArgumentException($"{name} needs a whole number of at least {minimum}, not '{args[i]}'.");

            double Real() =>
                double.TryParse(Value(), CultureInfo.InvariantCulture, out var number) && number > 0
                    ? number : throw new ArgumentException($"{name} needs a positive number, not '{args[i]}'.");
        }

        if (parsed.TextFile is { } file && !File.Exists(file))
            throw new ArgumentException($"--text: there is no file '{file}'.");
        return parsed;
    }
}
