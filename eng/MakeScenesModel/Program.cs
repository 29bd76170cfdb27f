// Draws scenes and trains the embedded generator of pictures from captions on them, from random weights: a discrete VAE, and a DALL-E with
// its tokenizer.
//   dotnet run --project eng/MakeScenesModel -c Release -- FOLDER [SHARE]
// FOLDER gets the runs' checkpoints and metrics, training.log, pictures of what was measured, and in FOLDER/model the files of
// src/MLTransfer.Models.Scenes/model. A run that was cut off goes on. SHARE of the steps, such as 0.03, is for a trial.
using System.Diagnostics;
using System.Globalization;
using MakeScenesModel;
using MLTransfer.Making;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Networks.Dalle;
using MLTransfer.Torch.Tokenization;
using TextToImage.Scenes;
using static TorchSharp.torch;

const int Seed = 1;
const int CodecSteps = 2_600;
const int PictureSteps = 6_000;
const int MeasuredScenes = 240;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not ([_] or [_, _]))
{
    Console.Error.WriteLine("Usage: MakeScenesModel FOLDER [SHARE]");
    return 1;
}

var clock = Stopwatch.StartNew();
var share = args.Length > 1 ? double.Parse(args[1]) : 1;
var (folder, log) = (args[0], new TrainingLog(args[0]));
int Steps(int all) => Math.Max(12, (int)(share * all));

var codec = new CodecStage(Path.Combine(folder, "codec"), Seed, log).Run(Steps(CodecSteps), share); // the model's, in the end
Measure(codec);
var (model, tokenizer) = new PictureStage(Path.Combine(folder, "pictures"), Seed, log).Run(codec, Steps(PictureSteps), share);
var modelFolder = Directory.CreateDirectory(Path.Combine(folder, "model")).FullName;
model.Save(modelFolder, ScalarType.Float16);
tokenizer.Save(modelFolder);
model.Dispose();

using var stored = DalleModel.Load(modelFolder); // measured as it is shipped
Measure((DiscreteVaeModel)stored.Codec);
var words = TextTokenizer.Load(modelFolder);
PictureStage.Measure(stored, words, "day", SceneStyle.Day, Steps(MeasuredScenes), folder, log);
PictureStage.Measure(stored, words, "night", SceneStyle.Night, Steps(MeasuredScenes), folder, log);
var size = new DirectoryInfo(modelFolder).EnumerateFiles().Sum(file => file.Length);
log.Write($"{size / 1e6:F2} MB; {clock.Elapsed.TotalMinutes:F1} minutes");
return 0;

void Measure(DiscreteVaeModel measured)
{
    CodecStage.Measure(measured, "day", SceneStyle.Day, Steps(MeasuredScenes), folder, log);
    CodecStage.Measure(measured, "night", SceneStyle.Night, Steps(MeasuredScenes), folder, log);
}
