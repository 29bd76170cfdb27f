using Numbers.Data;
using Numbers.Library;
using Numbers.Reports;
using Numbers.Settings;
using static TorchSharp.torch;

namespace Numbers.Groups;

/// <summary>Trainings of language models: losses of the steps and final weights.</summary>
internal static class TrainingNumbers
{
    private static readonly TextTraining s_settings = new()
    {
        MaximumSteps = 8, BatchSize = 3, LearningRate = 2e-3, WarmupSteps = 2, WeightDecay = 0.01, EvaluationSteps = 4,
        KeepBestModel = false,
    };

    private static TextRow[] Rows => TestData.Rows(10, 1);

    private static TextRow[] Validation => TestData.Rows(3, 2);

    public static void Write(Report report)
    {
        References(report);
        foreach (var precision in (string[])["Float32", "BFloat16"])
        {
            var (prefix, settings) = ($"training/tiny/{precision}", s_settings with { Precision = precision });
            var attention = new Adapters(4, 0.1, "c_attn", "mlp.c_fc");
            Run(report, $"{prefix}/plain", settings);
            Run(report, $"{prefix}/adapters", settings, model => model.Attach(attention with { Dropout = 0 }));
            Run(report, $"{prefix}/adapters_dropout", settings, model => model.Attach(attention));
            Run(report, $"{prefix}/adapters_all_dropout", settings, model =>
            {
                model.Attach(new Adapters(2, 0.1, "all-linear") { RankStabilized = true });
                model.SetDropout(0.1, 0, 0.1);
            });
            Run(report, $"{prefix}/dropout", settings, model => model.SetDropout(0.1, 0, 0.1));
            Run(report, $"{prefix}/dropout_embedding", settings, model => model.SetDropout(0.1, 0, 0));
            Run(report, $"{prefix}/dropout_residual", settings, model => model.SetDropout(0, 0, 0.1));
            Run(report, $"{prefix}/dropout_attention", settings, model => model.SetDropout(0.1, 0.1, 0.1));
            Run(report, $"{prefix}/checkpointing", settings with { GradientCheckpointing = true });
            Run(report, $"{prefix}/checkpointing_dropout", settings with { GradientCheckpointing = true },
                model => model.SetDropout(0, 0, 0.1));
            Run(report, $"{prefix}/checkpointing_dropout_all",
                settings with { GradientCheckpointing = true, Accumulation = 2, BatchSize = 2 },
                model => model.SetDropout(0.1, 0.1, 0.1));
            Run(report, $"{prefix}/checkpointing_adapters", settings with { GradientCheckpointing = true }, model =>
            {
                model.Attach(attention);
                model.SetDropout(0.1, 0, 0.1);
            });
            Run(report, $"{prefix}/grouped", settings with { GroupByLength = true });
            Run(report, $"{prefix}/packed_grouped", settings with { GroupByLength = true, BatchSize = 2 }, rows: RowMaker.Pack(Rows, 40));
            Run(report, $"{prefix}/packed_dropout", settings with { BatchSize = 2 },
                model => model.SetDropout(0.1, 0, 0.1), RowMaker.Pack(Rows, 40));
            Run(report, $"{prefix}/packed_checkpointing", settings with { BatchSize = 2, GradientCheckpointing = true },
                model => model.SetDropout(0.1, 0, 0.1), RowMaker.Pack(Rows, 40));
            Run(report, $"{prefix}/last_block", settings, model => model.TrainLastBlocks(1));
            Run(report, $"{prefix}/last_block_dropout", settings, model =>
            {
                model.TrainLastBlocks(1);
                model.SetDropout(0.1, 0, 0.1);
            });
            Run(report, $"{prefix}/final_norm", settings, model => model.TrainLastBlocks(0));
            Run(report, $"{prefix}/frozen_names", settings, model => model.Freeze("transformer.wte.*", "*.ln_1.*"));
            Run(report, $"{prefix}/frozen_inside", settings, model => model.Freeze("transformer.h.1.*"));
            Run(report, $"{prefix}/last_block_checkpointing", settings with { GradientCheckpointing = true },
                model => model.TrainLastBlocks(1));
            Run(report, $"{prefix}/accumulation", settings with { BatchSize = 2, Accumulation = 3, Schedule = "Cosine" });
            Run(report, $"{prefix}/accumulation_dropout", settings with { BatchSize = 2, Accumulation = 2 },
                model => model.SetDropout(0.1, 0, 0.1));
            Run(report, $"{prefix}/completions", settings with { MaximumGradientNorm = 0 }, rows: Completions());
            Run(report, $"{prefix}/epochs_no_validation", settings with { MaximumSteps = 0, Epochs = 2, Schedule = "Constant", Seed = 7 },
                hasValidation: false);
            Run(report, $"{prefix}/best_model",
                settings with { KeepBestModel = true, MaximumSteps = 12, LearningRate = 0.05, Schedule = "Constant", EvaluationSteps = 2 },
                rows: [.. Rows.Take(3)]);
            Run(report, $"{prefix}/stopped_early",
                settings with { KeepBestModel = true, MaximumSteps = 20, LearningRate = 0.05, Schedule = "Constant", EvaluationSteps = 2,
                    EarlyStoppingPatience = 2 }, rows: [.. Rows.Take(3)]);
            foreach (var (name, configuration) in TestData.Variants)
                Run(report, $"{prefix}/{name}", settings with { MaximumSteps = 4 }, model => model.SetDropout(0.1, 0, 0.1),
                    load: () => LanguageModel.Create(configuration));
            Tales(report, precision);
        }

        Resumed(report, "weights", s_settings, model => model.SetDropout(0.1, 0.1, 0.1));
        Resumed(report, "weights_bfloat16", s_settings with { Precision = "BFloat16" }, model => model.SetDropout(0.1, 0.1, 0.1));
        Resumed(report, "adapters", s_settings with { BatchSize = 2, Accumulation = 2 }, model =>
        {
            model.Attach(new Adapters(4, 0.1, "c_attn", "mlp.c_fc"));
            model.SetDropout(0.1, 0.1, 0.1);
        });
        Resumed(report, "checkpointing", s_settings with { GradientCheckpointing = true, GroupByLength = true },
            model => model.SetDropout(0.1, 0.1, 0.1));
        Resumed(report, "best_model",
            s_settings with { KeepBestModel = true, LearningRate = 0.05, Schedule = "Constant", WarmupSteps = 0, EvaluationSteps = 2 },
            model => model.SetDropout(0.1, 0.1, 0.1), Rows[..3]); // the best weights came before the interruption
        Resumed(report, "frozen_bfloat16", s_settings with { Precision = "BFloat16" }, model => model.TrainLastBlocks(1));
    }

    private static void References(Report report)
    {
        foreach (var name in (string[])["training", "training_cosine_accumulate", "training_lora"])
        {
            report.Case($"training/reference/{name}", () =>
            {
                var (rows, settings) = TestData.Reference(name);
                using var model = LanguageModel.Load(TestData.Tiny);
                if (name == "training_lora")
                    model.LoadAdapters(TestData.File("gpt2-tiny/lora_start"));
                Publish(report, $"training/reference/{name}", model, model.Train(settings, rows)!);
            });
        }
    }

    private static void Run(
        Report report, string name, TextTraining settings, Action<LanguageModel>? prepare = null, TextRow[]? rows = null,
        bool hasValidation = true,
        Func<LanguageModel>? load = null) => report.Case(name, () =>
    {
        using var model = load?.Invoke() ?? LanguageModel.Load(TestData.Tiny);
        manual_seed(3);
        prepare?.Invoke(model);
        Publish(report, name, model, model.Train(settings, rows ?? Rows, hasValidation ? Validation : null)!);
    });

    private static void Publish(Report report, string name, LanguageModel model, TextTrainingRun run)
    {
        report.Tensors($"{name}/weights", model.TrainableWeights);
        report.Tensors($"{name}/all_weights", model.Weights);
        report.Numbers($"{name}/losses", run.Log.Select(step => step[0]));
        report.Numbers($"{name}/log", run.Log.SelectMany(step => step));
        report.Numbers($"{name}/outcome", run.Outcome);
    }

    /// <summary>A vocabulary and rows of a real size.</summary>
    private static void Tales(Report report, string precision)
    {
        var prefix = $"training/tales/{precision}";
        var settings = s_settings with
        {
            MaximumSteps = 2, BatchSize = 2, LearningRate = 5e-4, WarmupSteps = 0, EvaluationSteps = 0,
            Precision = precision,
        };
        Run("weights", settings, null);
        Run("checkpointing_dropout", settings with { GradientCheckpointing = true }, model => model.SetDropout(0.1, 0, 0.1));
        Run("adapters", settings, model => model.Attach(new Adapters(8, 0.1, "c_attn")));
        Run("last_block", settings, model => model.TrainLastBlocks(1));

        void Run(string name, TextTraining settings, Action<LanguageModel>? prepare) => report.Case($"{prefix}/{name}", () =>
        {
            var rows = RowMaker.Blocks(Tokenizers.Encode(Files.TalesFolder, TestData.Mars), 96);
            using var model = LanguageModel.Load(Files.TalesFolder);
            manual_seed(3);
            prepare?.Invoke(model);
            Publish(report, $"{prefix}/{name}", model, model.Train(settings, rows[..6], rows[6..7])!);
        });
    }

    /// <summary>A run of 8 steps with a checkpoint every 3, and the same stopped after 5 and resumed.</summary>
    private static void Resumed(Report report, string name, TextTraining settings, Action<LanguageModel> prepare, TextRow[]? rows = null)
    {
        var prefix = $"training/resumed/{name}";
        report.Case(prefix, () =>
        {
            var whole = Finish("whole", Scratch.Path(), resume: false, out var folder);
            foreach (var checkpoint in Directory.GetDirectories(folder))
            {
                foreach (var file in Directory.GetFiles(checkpoint, "*.safetensors"))
                    report.FileBytes($"{prefix}/whole/{Path.GetFileName(checkpoint)}/{Path.GetFileName(file)}", file);
            }

            report.RunFiles($"{prefix}/whole", folder);
            report.FileBytes($"{prefix}/whole/loss.png", Path.Combine(folder, "loss.png"));

            var interrupted = Scratch.Path();
            using (var model = Model())
            {
                var run = model.Train(settings with { Folder = interrupted, CheckpointSteps = 3 }, rows ?? Rows, Validation, cancelAt: 5);
                report.Numbers($"{prefix}/interrupted/was_cancelled", run is null ? 1 : 0);
                report.Tensors($"{prefix}/interrupted/weights", model.TrainableWeights);
            }

            report.Same($"{prefix}/same", whole, Finish("resumed", interrupted, resume: true, out _));
            report.RunFiles($"{prefix}/resumed", interrupted);
        });

        LanguageModel Model()
        {
            var model = LanguageModel.Load(TestData.Tiny);
            manual_seed(3);
            prepare(model);
            return model;
        }

        string Finish(string part, string folder, bool resume, out string outFolder)
        {
            using var model = Model();
            var run = model.Train(settings with { Folder = folder, CheckpointSteps = 3, Resume = resume }, rows ?? Rows, Validation)!;
            report.Numbers($"{prefix}/{part}/log", run.Log.SelectMany(step => step));
            report.Numbers($"{prefix}/{part}/outcome", run.Outcome);
            outFolder = folder;
            return report.Tensors($"{prefix}/{part}/weights", model.TrainableWeights);
        }
    }

    private static TextRow[] Completions() =>
        [.. Rows.Zip(TestData.Rows(10, 5)).Select(pair => RowMaker.Completion(pair.First.Ids, pair.Second.Ids, 24))];
}
