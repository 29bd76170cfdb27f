using System.Globalization;
using MLTransfer.Benchmarks.Workloads;

namespace MLTransfer.Benchmarks;

/// <summary>What follows the command's name.</summary>
internal sealed class Arguments
{
    public const string Usage = """
        Measures MLTransfer: how fast it trains and decodes, as shares of what this machine can do, and how much memory it takes.

          dotnet run -c Release --project benchmarks/MLTransfer.Benchmarks -- report [options]
              Measures everything in one run, side by side with a plain TorchSharp version, prints tables and writes report.json and curves.
                --model DIR        a GPT-2 checkpoint in Hugging Face layout instead of GPT-2 124M with random weights
                --quick            one repetition, short decoding, no curves
                --memory-steps N   training steps of each measurement of memory; more than 10 show growth (default: by the model's size)
                --output DIR       for report.json and the curves (default: output/benchmarks)

          dotnet run -c Release --project benchmarks/MLTransfer.Benchmarks -- memory VARIANT [options]
              Trains in this process alone and prints its memory and speed as JSON.
              Variants: float32, bfloat16, lora-bfloat16, stored-lora-bfloat16 (on a file in bfloat16), plain-float32, and others.
                --model DIR        as above, or gpt2 (the default), smollm2, qwen3, qwen2 (random weights) or tales
                --batch-size N     rows of a step (default: 4)
                --length N         tokens of a row (default: 256, or the model's context)
                --steps N          training steps (default: 30)
                --threads N        threads that libtorch and the library use (default: as libtorch chooses)

          dotnet run -c Release --project benchmarks/MLTransfer.Benchmarks -- memory-table [options]
              Trains models of several sizes by several methods, each in a process of its own, and prints the table of docs/performance.md.
                --steps N          training steps of each (default: 5)

          dotnet run -c Release --project benchmarks/MLTransfer.Benchmarks -- stylegan [options]
              Times a training step of StyleGAN2 at 32x32 and 64x64, side by side with a plain TorchSharp version, and prints tables.
                --batch-size N     images of a step (default: 8)
                --steps N          repetitions (default: 10)
                --threads N        threads that libtorch and the library use; with 1, processor time is measured instead of the clock

          dotnet run -c Release --project benchmarks/MLTransfer.Benchmarks -- audio [options]
              Times codecs of sounds side by side with a plain TorchSharp version, and prints how many times faster than real time they are.
                --steps N          repetitions (default: 10)
                --threads N        threads that libtorch and the library use; with 1, processor time is measured instead of the clock

          dotnet run -c Release --project benchmarks/MLTransfer.Benchmarks -- pictures [options]
              Times training and drawing of a DALL-E and a DALL-E mini side by side with a plain TorchSharp version, and prints a table;
              then how memory grows with many pictures at once.
                --batch-size N     pictures of a step (default: 4)
                --steps N          repetitions (default: 5)
                --threads N        threads that libtorch and the library use; with 1, processor time is measured instead of the clock
                --quick            without memory

          dotnet run -c Release --project benchmarks/MLTransfer.Benchmarks -- busy [options]
              Trains alone and in two processes side by side, and prints what share of one alone the two reach together.
                --steps N          seconds of each measurement (default: 5)
                --quick            one repetition instead of three

          dotnet run -c Release --project benchmarks/MLTransfer.Benchmarks -- onnx [options]
              Exports a model and measures greedy decoding through ONNX Runtime: the library, loops written by hand, and the engine.
                --model DIR        as above
                --threads N        threads of ONNX Runtime and libtorch (default: as they choose)
                --quick            one repetition, short decoding

          dotnet run -c Release --project benchmarks/MLTransfer.Benchmarks -- music [options]
              Measures MusicGen-small with random weights: frames/s with guidance in each number format, and training.
                --steps N          frames of each measurement (default: 100)
                --length N         columns of the row that is trained on (default: 500)
                --threads N        threads that libtorch and the library use; with 1, frames are by processor time, not by the clock
                --quick            one repetition, no training

          dotnet run -c Release --project benchmarks/MLTransfer.Benchmarks -- --filter '*'
              Measures single kernels with BenchmarkDotNet, which takes its own options.
        """;

    public string? Variant { get; private set; }

    public string Model { get; private set; } = BenchmarkedModel.Gpt2Id;

    public bool Quick { get; private set; }

    public string Output { get; private set; } = Path.Combine("output", "benchmarks");

    public int BatchSize { get; private set; } = 4;

    public int Length { get; private set; } = 256;

    public int Steps { get; private set; } = 30;

    public int? MemorySteps { get; private set; }

    public int? Threads { get; private set; }

    /// <exception cref="ArgumentException">An argument is unknown or its value is not usable.</exception>
    public static Arguments Parse(string[] args, int batchSize = 4, int steps = 30, int length = 256)
    {
        var parsed = new Arguments { BatchSize = batchSize, Steps = steps, Length = length };
        for (var i = 0; i < args.Length; i++)
        {
            var name = args[i];
            switch (name)
            {
                case "--model": parsed.Model = Value(); break;
                case "--quick": parsed.Quick = true; break;
                case "--output": parsed.Output = Value(); break;
                case "--batch-size": parsed.BatchSize = Number(); break;
                case "--length": parsed.Length = Number(); break;
                case "--steps": parsed.Steps = Number(); break;
                case "--memory-steps": parsed.MemorySteps = Number(); break;
                case "--threads": parsed.Threads = Number(); break;
                case [not '-', ..] when parsed.Variant is null: parsed.Variant = name; break;
                default: throw new ArgumentException($"Unknown argument '{name}'.\n\n{Usage}");
            }

            string Value() => ++i < args.Length ? args[i] : throw new ArgumentException($"{name} needs a value.");

            int Number() =>
                int.TryParse(Value(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
                    ? number : throw new ArgumentException($"{name} needs a whole number of at least 1, not '{args[i]}'.");
        }

        return parsed;
    }
}
