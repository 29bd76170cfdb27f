using System.Globalization;
using MLTransfer;

namespace ImageGeneration;

/// <summary>The program's command line.</summary>
internal sealed class Arguments
{
    public const string Usage = """
        Fine-tunes a pretrained image generator on pictures and shows what it makes, before and after.

          dotnet run --project samples/ImageGeneration -c Release -- [options]

          --model DIR        a folder with config.json, generator.safetensors and discriminator.safetensors (default: the embedded model)
          --pictures DIR     the pictures to learn from, PNG or JPEG (default: faces that the sample draws)
          --size N           the width and height that pictures are resized to, those of the model (default: 32)
          --images N         pictures to show in all, each as often as it takes (default: 10000)
          --batch-size N     pictures of one update (default: 16)
          --learning-rate X  of both networks (default: 0.002)
          --freeze N         blocks of the discriminator that stay as they are (default: 1)
          --seed N           makes the run repeatable (default: 1)
          --output DIR       for grids, the model zip, the ONNX file, loss.png and metrics.jsonl (default: output/image-generation)
          --help             this text
        """;

    public string Model { get; private set; } = PretrainedModels.Shapes;

    public string? Pictures { get; private set; }

    public int Size { get; private set; } = 32;

    public int Images { get; private set; } = 10_000;

    public int BatchSize { get; private set; } = 16;

    public double LearningRate { get; private set; } = 0.002;

    public int FrozenBlocks { get; private set; } = 1;

    public int Seed { get; private set; } = 1;

    public string Output { get; private set; } = Path.Combine("output", "image-generation");

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
                case "--pictures": parsed.Pictures = Value(); break;
                case "--size": parsed.Size = Number(8); break;
                case "--images": parsed.Images = Number(1); break;
                case "--batch-size": parsed.BatchSize = Number(1); break;
                case "--learning-rate": parsed.LearningRate = Real(); break;
                case "--freeze": parsed.FrozenBlocks = Number(0); break;
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

        if (parsed.Pictures is { } folder && !Directory.Exists(folder))
            throw new ArgumentException($"--pictures: there is no folder '{folder}'.");
        return parsed;
    }
}
