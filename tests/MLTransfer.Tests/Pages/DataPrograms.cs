using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML;
using Microsoft.ML.Data;
using static MLTransfer.Tests.Pages.DataRows.Classes;

namespace MLTransfer.Tests.Pages;

/// <summary>The programs of <c>docs/data.md</c>.</summary>
internal static class DataPrograms
{
    public static ITransformer Table()
    {
        #region A table
        var ml = new MLContext(seed: 1);
        IDataView articles = ml.Data.LoadFromTextFile<Article>("articles.csv", new TextLoader.Options
        {
            Separators = [','], HasHeader = true,
            AllowQuoting = true, ReadMultilines = true, // a text in quotes may hold commas and line ends
        });
        var writer = ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Title", trainingColumnName: "Text").Fit(articles);
        #endregion
        return writer;
    }

    public static ITransformer JsonLines()
    {
        #region JSON lines
        var ml = new MLContext(seed: 1);
        IDataView questions = ml.Data.LoadFromJsonLines<Question>("questions.jsonl");
        var answers = ml.Transforms.Text.FineTuneTextGenerator("Written", "Prompt", options: new TextGeneratorOptions
        {
            CompletionColumnName = "Completion", // the loss is on it alone
        }).Fit(questions);
        #endregion
        return answers;
    }

    public static ITransformer Texts()
    {
        #region A folder of texts
        var ml = new MLContext(seed: 1);
        var files = Directory.EnumerateFiles("texts", "*.txt", SearchOption.AllDirectories).Order();
        IDataView articles = ml.Data.LoadFromEnumerable(files.Select(file => new Article
        {
            Title = Path.GetFileNameWithoutExtension(file), Text = File.ReadAllText(file),
        })); // a file is read when its row is
        var writer = ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Title", trainingColumnName: "Text").Fit(articles);
        #endregion
        return writer;
    }

    public static ITransformer Pictures()
    {
        #region A folder of pictures
        var ml = new MLContext(seed: 1);
        var files = Directory.EnumerateFiles("pictures", "*.png", SearchOption.AllDirectories).Order();
        IDataView pictures = ml.Data.LoadFromEnumerable(files.Select(file => new PictureFile
        {
            FileName = Path.GetRelativePath("pictures", file), Kind = Path.GetFileName(Path.GetDirectoryName(file)!),
        }));
        var painter = ml.Transforms.LoadImages("Image", imageFolder: "pictures", "FileName")
            .Append(ml.Transforms.ResizeImages("Image", imageWidth: 32, imageHeight: 32))
            .Append(ml.Transforms.Conversion.MapValueToKey("Key", "Kind"))
            .Append(ml.Transforms.FineTuneImageGenerator("Picture", null, trainingColumnName: "Image", new ImageGeneratorOptions
            {
                LabelColumnName = "Key", // the embedded model takes no labels: it learns them
                Training = new AdversarialTrainingOptions { TotalImages = 160, BatchSize = 16 }, // for a first look
            }))
            .Fit(pictures);
        #endregion
        return painter;
    }
}
