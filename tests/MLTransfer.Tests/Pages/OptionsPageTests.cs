using System.Collections;
using System.Globalization;
using System.Reflection;
using MLTransfer.Experiments;
using MLTransfer.Torch.Exports;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Generation.Infilling;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Audio;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Images;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.LatentProjection;
using MLTransfer.Torch.Training.Optimizers;
using MLTransfer.Torch.Training.Preferences;
using MLTransfer.Torch.Training.Schedules;
using Xunit;

namespace MLTransfer.Tests.Pages;

/// <summary>The tables of <c>docs/options.md</c> say what the classes have: a section a class, a row an option.</summary>
public sealed class OptionsPageTests
{
    private static readonly Page s_page = Page.All.Single(page => page.Name == "docs/options.md");

    public static IEnumerable<TheoryDataRow<Type>> Classes => ((Type[])
    [
        typeof(TextGeneratorOptions), typeof(TextNoiseOptions), typeof(LanguageTrainingOptions), typeof(LoraOptions),
        typeof(GenerationOptions), typeof(TextMemorizationOptions), typeof(ChatTemplateOptions), typeof(TokenizerTrainingOptions),
        typeof(TextInfillerOptions), typeof(MaskingOptions), typeof(InfillingOptions), typeof(InfillingEvaluationOptions),
        typeof(ImageGeneratorOptions), typeof(ProjectImagesOptions), typeof(ProjectionOptions), typeof(ImageEvaluationOptions),
        typeof(AdversarialTrainingOptions), typeof(TorchModuleOptions), typeof(ApplyTorchModuleOptions),
        typeof(ModuleTrainingOptions), typeof(PitchOptions), typeof(MusicTrainingOptions), typeof(MusicGenerationOptions),
        typeof(SpeechTrainingOptions), typeof(SpeechOptions), typeof(EnCodecTrainingOptions), typeof(CodecDiscriminatorOptions),
        typeof(AutoMLExperiment.AutoMLExperimentSettings), typeof(AudioEvaluationOptions), typeof(SoundComparisonOptions),
        typeof(OnnxAudioGeneratorOptions), typeof(AudioGeneratorOptions), typeof(TextToImageTrainingOptions),
        typeof(ImageGenerationOptions), typeof(DiscreteVaeTrainingOptions), typeof(OnnxImageGeneratorOptions),
        typeof(StochasticGradientDescentOptions), typeof(AdafactorOptions), typeof(LionOptions), typeof(MuonOptions),
        typeof(ScheduleFreeOptions), typeof(CosineScheduleOptions), typeof(PolynomialScheduleOptions),
        typeof(InverseSquareRootScheduleOptions), typeof(WarmupStableDecayScheduleOptions), typeof(PlateauScheduleOptions),
        typeof(GgufExportOptions), typeof(TextPreferenceOptions), typeof(PreferenceTrainingOptions), typeof(PreferenceEvaluationOptions),
    ]).Select(type => new TheoryDataRow<Type>(type));

    [Theory]
    [MemberData(nameof(Classes))]
    public void Every_option_is_in_the_table_with_its_default(Type type)
    {
        var section = s_page.Text.Split("\n## ").Single(part => part.StartsWith($"`{type.Name}`", StringComparison.Ordinal));
        var table = section.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray())
            .ToDictionary(cells => cells[0].Trim('`'), cells => cells[1].Trim('`'));
        var options = Activator.CreateInstance(type);

        var expected = Options(type, options).OrderBy(option => option.Name, StringComparer.Ordinal).ToList();

        Assert.Equal(expected.Select(option => option.Name), table.Keys.Order(StringComparer.Ordinal));
        Assert.All(expected, option => Assert.Equal($"{option.Name} {Written(option.Value)}", $"{option.Name} {table[option.Name]}"));
    }

    private static IEnumerable<(string Name, object? Value)> Options(Type type, object? options) =>
    [
        .. type.GetFields(BindingFlags.Public | BindingFlags.Instance).Select(field => (field.Name, field.GetValue(options))),
        .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => (property.Name, property.GetValue(options))),
    ];

    private static string Written(object? value) => value switch
    {
        null or CancellationToken => "none",
        bool flag => flag ? "true" : "false",
        PretrainedModels.Tales => "PretrainedModels.Tales",
        PretrainedModels.Shapes => "PretrainedModels.Shapes",
        PretrainedModels.TalesInfilling => "PretrainedModels.TalesInfilling",
        string or Enum => value.ToString()!,
        double number when number is not 0 and < 1e-2 => number.ToString("0.###e-0", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable<double> numbers =>
            $"[{string.Join(", ", numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)))}]",
        IEnumerable<int> numbers => $"[{string.Join(", ", numbers)}]",
        IEnumerable list => list.Cast<object>().Any() ? throw new ArgumentException("The list has elements.") : "[]",
        BaseFreezing freezing when freezing == BaseFreezing.All => "BaseFreezing.All",
        LanguageTrainingOptions training when training == TextGeneratorOptions.DefaultTraining => "TextGeneratorOptions.DefaultTraining",
        ImageScaling scaling when scaling == ImageScaling.ZeroToOne => "ImageScaling.ZeroToOne",
        _ => $"new {value.GetType().Name}()",
    };
}
