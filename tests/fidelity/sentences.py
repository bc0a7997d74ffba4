"""One plain sentence, and a second, in each of the paper's twelve languages, written for these tests."""

SENTENCES = {
    "ar": "نذهب إلى السوق كل صباح لشراء الخبز والفواكه الطازجة.",
    "zh": "我们每天早上去市场买新鲜的水果和面包。",
    "cs": "Každé ráno chodíme na trh koupit čerstvé ovoce a chléb.",
    "en": "Every morning we walk to the market to buy fresh fruit and bread.",
    "et": "Igal hommikul käime turul värskeid puuvilju ja leiba ostmas.",
    "fi": "Joka aamu kävelemme torille ostamaan tuoreita hedelmiä ja leipää.",
    "he": "בכל בוקר אנחנו הולכים לשוק לקנות פירות טריים ולחם.",
    "hi": "हम हर सुबह ताज़े फल और रोटी खरीदने बाज़ार जाते हैं।",
    "it": "Ogni mattina andiamo al mercato a comprare frutta fresca e pane.",
    "ru": "Каждое утро мы ходим на рынок за свежими фруктами и хлебом.",
    "es": "Cada mañana vamos al mercado a comprar fruta fresca y pan.",
    "sw": "Kila asubuhi tunakwenda sokoni kununua matunda mabichi na mkate.",
}
MORE = {
    "ar": "الماء ضروري لجميع الكائنات الحية على الأرض.",
    "zh": "水对地球上所有的生物都非常重要。",
    "cs": "Voda je nezbytná pro všechny živé organismy na Zemi.",
    "en": "Water is necessary for all the living things on this planet.",
    "et": "Vesi on hädavajalik kõigile elusolenditele meie planeedil.",
    "fi": "Vesi on välttämätöntä kaikille eläville olennoille maapallolla.",
    "he": "מים חיוניים לכל היצורים החיים על פני כדור הארץ.",
    "hi": "पृथ्वी पर सभी जीवों के लिए पानी बहुत ज़रूरी है।",
    "it": "L'acqua è necessaria per tutti gli esseri viventi della Terra.",
    "ru": "Вода необходима всем живым существам на нашей планете.",
    "es": "El agua es necesaria para todos los seres vivos de la Tierra.",
    "sw": "Maji ni muhimu kwa viumbe vyote vinavyoishi duniani.",
}
TWELVE = tuple(SENTENCES)
